// Runs the tests of a class as JUnit 5 does, as far as the examples need it: JUnit is not installed.
import java.lang.annotation.Annotation;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

public class Run {
    public static void main(String[] names) throws Exception {
        Class<?> suite = Class.forName(names[0]);
        Constructor<?> constructor = suite.getDeclaredConstructor();
        constructor.setAccessible(true);
        for (Method test : suite.getDeclaredMethods()) {
            if (test.isAnnotationPresent(Test.class)) {
                Object instance = constructor.newInstance();
                call(suite, instance, BeforeEach.class);
                try {
                    test.setAccessible(true);
                    test.invoke(instance);
                } finally {
                    call(suite, instance, AfterEach.class);
                }
                System.out.println("ok " + test.getName());
            }
        }
    }

    static void call(Class<?> suite, Object instance, Class<? extends Annotation> mark)
            throws Exception {
        for (Method method : suite.getDeclaredMethods()) {
            if (method.isAnnotationPresent(mark)) {
                method.setAccessible(true);
                method.invoke(instance);
            }
        }
    }
}

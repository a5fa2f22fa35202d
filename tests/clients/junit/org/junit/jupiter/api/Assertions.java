package org.junit.jupiter.api;

public final class Assertions {
    public static void assertTrue(boolean condition) {
        if (!condition) {
            throw new AssertionError("expected: <true> but was: <false>");
        }
    }

    public static void assertFalse(boolean condition) {
        if (condition) {
            throw new AssertionError("expected: <false> but was: <true>");
        }
    }

    public interface Step {
        void run() throws Throwable;
    }

    public static void assertThrows(Class<? extends Throwable> kind, Step step) {
        try {
            step.run();
        } catch (Throwable error) {
            if (kind.isInstance(error)) {
                return;
            }
            throw new AssertionError("threw another one", error);
        }
        throw new AssertionError("threw nothing");
    }
}

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
}

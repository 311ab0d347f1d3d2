import java.util.*;

/** Sessions go into a static map by their id, and none is ever removed. */
public class Statics {
    static final Map<Integer, byte[]> SESSIONS = new HashMap<>();

    public static void main(String[] a) throws Exception {
        long end = System.currentTimeMillis() + (long) (1000 * Double.parseDouble(System.getenv("REAL_S")));
        for (int n = 0; System.currentTimeMillis() < end; n++) {
            byte[] b = new byte[50000];
            Arrays.fill(b, (byte) n);
            SESSIONS.put(n, b);
            Thread.sleep(10);
        }
        System.exit(0);
    }
}

import java.util.*;

/** Work that makes much and keeps a bounded map: the collector's teeth. */
public class Churn {
    public static void main(String[] a) throws Exception {
        long end = System.currentTimeMillis() + (long) (1000 * Double.parseDouble(System.getenv("REAL_S")));
        Map<Integer, byte[]> recent = new LinkedHashMap<>() {
            protected boolean removeEldestEntry(Map.Entry<Integer, byte[]> e) { return size() > 200; }
        };
        for (int n = 0; System.currentTimeMillis() < end; n++) {
            byte[] b = new byte[50000];
            Arrays.fill(b, (byte) n);
            recent.put(n, b);
            Thread.sleep(5);
        }
        System.exit(0);
    }
}

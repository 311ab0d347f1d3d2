import java.util.*;

/** A LinkedHashMap by access with a bound of 100 MB. */
public class Lru {
    public static void main(String[] a) throws Exception {
        long end = System.currentTimeMillis() + (long) (1000 * Double.parseDouble(System.getenv("REAL_S")));
        Map<Integer, byte[]> recent = new LinkedHashMap<>(16, 0.75f, true) {
            protected boolean removeEldestEntry(Map.Entry<Integer, byte[]> e) { return size() > 2000; }
        };
        Random random = new Random(1);
        for (int n = 0; System.currentTimeMillis() < end; n++) {
            int key = random.nextInt(10000);
            if (recent.get(key) == null) {
                byte[] b = new byte[50000];
                Arrays.fill(b, (byte) n);
                recent.put(key, b);
            }
            Thread.sleep(10);
        }
        System.exit(0);
    }
}

import java.util.concurrent.*;

/** An executor of its own for each job, never shut down. */
public class Executors1 {
    public static void main(String[] a) throws Exception {
        long end = System.currentTimeMillis() + (long) (1000 * Double.parseDouble(System.getenv("REAL_S")));
        while (System.currentTimeMillis() < end) {
            Executors.newFixedThreadPool(1).submit(() -> 1).get();
            Thread.sleep(150);
        }
        System.exit(0);
    }
}

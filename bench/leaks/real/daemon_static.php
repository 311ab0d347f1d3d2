<?php
// A daemon whose class remembers what it has seen, in a static array.
ini_set("memory_limit", "-1");
class Seen { public static array $all = []; }
$end = microtime(true) + (float)getenv("REAL_S");
for ($n = 0; microtime(true) < $end; $n++) {
    Seen::$all["k$n"] = str_repeat(chr($n % 256), 50000);
    usleep(10000);
}

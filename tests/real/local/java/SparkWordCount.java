import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.apache.spark.sql.SparkSession;
import scala.Tuple2;

/** Counts words: {@code INPUT OUTPUT [STARTED]}; with STARTED it makes that file at the end and stays for ten minutes. */
public final class SparkWordCount {
  public static void main(String[] args) throws Exception {
    SparkSession spark = SparkSession.builder().appName("word count").getOrCreate();
    spark.read().textFile(args[0]).javaRDD()
        .flatMap(line -> Arrays.asList(line.trim().split("\\s+")).iterator())
        .mapToPair(word -> new Tuple2<>(word, 1))
        .reduceByKey(Integer::sum)
        .map(pair -> pair._1() + "\t" + pair._2())
        .saveAsTextFile(args[1]);
    if (args.length > 2) {
      Files.createFile(Path.of(args[2]));
      Thread.sleep(600_000);
    }
    spark.stop();
  }
}

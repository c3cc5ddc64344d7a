import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Counts words with nothing but Java: {@code [-Dring.least=N] INPUT OUTPUT}, folders both. */
public final class PlainWordCount {
  public static void main(String[] args) throws IOException {
    Map<String, Integer> counts = new TreeMap<>();
    try (Stream<Path> files = Files.list(Path.of(args[0]))) {
      for (Path file : (Iterable<Path>) files::iterator) {
        for (String word : Files.readString(file).trim().split("\\s+")) {
          counts.merge(word, 1, Integer::sum);
        }
      }
    }
    StringBuilder lines = new StringBuilder();
    counts.forEach((word, count) -> {
      if (count >= Integer.getInteger("ring.least", 1)) {
        lines.append(word).append('\t').append(count).append('\n');
      }
    });
    Files.createDirectory(Path.of(args[1]));
    Files.writeString(Path.of(args[1], "counts"), lines);
  }
}

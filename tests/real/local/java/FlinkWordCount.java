import org.apache.flink.api.common.RuntimeExecutionMode;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.serialization.SimpleStringEncoder;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.connector.file.sink.FileSink;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.file.src.reader.TextLineInputFormat;
import org.apache.flink.core.fs.Path;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.Collector;

/** Counts words: {@code INPUT OUTPUT}. */
public final class FlinkWordCount {
  public static void main(String[] args) throws Exception {
    StreamExecutionEnvironment flink = StreamExecutionEnvironment.getExecutionEnvironment();
    flink.setRuntimeMode(RuntimeExecutionMode.BATCH);
    FileSource<String> lines = FileSource.forRecordStreamFormat(new TextLineInputFormat(), new Path(args[0])).build();
    flink.fromSource(lines, WatermarkStrategy.noWatermarks(), "lines")
        .flatMap((String line, Collector<Tuple2<String, Integer>> words) -> {
          for (String word : line.trim().split("\\s+")) {
            words.collect(Tuple2.of(word, 1));
          }
        })
        .returns(Types.TUPLE(Types.STRING, Types.INT))
        .keyBy(pair -> pair.f0)
        .sum(1)
        .map(pair -> pair.f0 + "\t" + pair.f1)
        .returns(Types.STRING)
        .sinkTo(FileSink.forRowFormat(new Path(args[1]), new SimpleStringEncoder<String>()).build());
    flink.execute("word count");
  }
}

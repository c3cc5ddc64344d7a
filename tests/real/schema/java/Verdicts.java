import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.Encoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.util.Utf8;

/**
 * What Avro for Java says of texts. Its arguments are files of schemas, each of which is read. Each line of its input is
 * {"schema": FILE, "text": TEXT}; each of its output {"kind": KIND, "why": WORDS, "encoded": TEXT}.
 */
public final class Verdicts {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
  private static final GenericData DATA = GenericData.get();

  public static void main(String[] files) throws IOException {
    Map<String, Schema> schemas = new HashMap<>();
    for (String file : files) {
      schemas.put(file, new Schema.Parser().parse(Files.readString(Path.of(file))));
    }
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    try (PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8)) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        JsonNode asked = JSON.readTree(line);
        out.println(verdict(schemas.get(asked.get("schema").asText()), asked.get("text").asText()));
      }
    }
  }

  private static ObjectNode verdict(Schema schema, String text) throws IOException {
    ObjectNode verdict = JSON.createObjectNode();
    JsonNode node;
    try {
      node = JSON.readTree(text);
    } catch (JsonProcessingException e) {
      return verdict.put("kind", "unreadable").put("why", e.getOriginalMessage());
    }
    try {
      Object datum = datum(schema, node);
      if (!DATA.validate(schema, datum)) {
        return verdict.put("kind", "refused").put("why", "not valid");
      }
      ByteArrayOutputStream binary = new ByteArrayOutputStream();
      BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(binary, null);
      write(schema, datum, encoder);
      Object read =
          new GenericDatumReader<>(schema)
              .read(null, DecoderFactory.get().binaryDecoder(binary.toByteArray(), null));
      if (!read.equals(datum)) {
        return verdict.put("kind", "refused").put("why", "it comes back as " + read);
      }
      ByteArrayOutputStream json = new ByteArrayOutputStream();
      write(schema, datum, EncoderFactory.get().jsonEncoder(schema, json));
      verdict.put("encoded", json.toString(StandardCharsets.UTF_8));
      return verdict.put("kind", "passed").put("why", "");
    } catch (AvroRuntimeException | ClassCastException e) {
      return verdict.put("kind", "refused").put("why", e.toString());
    }
  }

  private static void write(Schema schema, Object datum, Encoder encoder) throws IOException {
    new GenericDatumWriter<>(schema).write(datum, encoder);
    encoder.flush();
  }

  /** A value as Avro has it where it is of the type, else as Java has it, for Avro to refuse. */
  private static Object datum(Schema schema, JsonNode node) {
    switch (schema.getType()) {
      case UNION:
        return inUnion(schema, node);
      case RECORD:
        return node.isObject() ? record(schema, node) : plain(node);
      case MAP:
        return node.isObject() ? map(schema, node) : plain(node);
      case ARRAY:
        return node.isArray() ? array(schema, node) : plain(node);
      case ENUM:
        return node.isTextual() ? new GenericData.EnumSymbol(schema, node.textValue()) : plain(node);
      case INT:
        return node.isIntegralNumber() && node.canConvertToInt() ? (Object) node.intValue() : plain(node);
      case LONG:
        return node.isIntegralNumber() && node.canConvertToLong() ? (Object) node.longValue() : plain(node);
      case FLOAT:
        return node.isNumber() ? (Object) node.floatValue() : plain(node);
      case DOUBLE:
        return node.isNumber() ? (Object) node.doubleValue() : plain(node);
      default:
        return plain(node);
    }
  }

  private static Object plain(JsonNode node) {
    if (node.isNull()) {
      return null;
    }
    if (node.isBoolean()) {
      return node.booleanValue();
    }
    return node.isTextual() ? new Utf8(node.textValue()) : node;
  }

  /** The first branch of which the value is; with the tag of Avro's JSON encoding, the branch that it names. */
  private static Object inUnion(Schema union, JsonNode node) {
    if (node.isObject() && node.size() == 1) {
      String tag = node.fieldNames().next();
      for (Schema branch : union.getTypes()) {
        if (tag.equals(branch.getName()) || tag.equals(branch.getFullName())) {
          Object datum = datum(branch, node.get(tag));
          if (DATA.validate(branch, datum)) {
            return datum;
          }
        }
      }
    }
    AvroRuntimeException refused = null;
    for (Schema branch : union.getTypes()) {
      try {
        Object datum = datum(branch, node);
        DATA.resolveUnion(union, datum);
        return datum;
      } catch (AvroRuntimeException e) {
        refused = e;
      }
    }
    throw refused;
  }

  private static Object record(Schema schema, JsonNode node) {
    GenericData.Record record = new GenericData.Record(schema);
    for (Schema.Field field : schema.getFields()) {
      if (!node.has(field.name()) && field.hasDefaultValue()) {
        record.put(field.pos(), DATA.getDefaultValue(field));
      }
    }
    for (Iterator<String> names = node.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      Schema.Field field = schema.getField(name);
      // Avro itself refuses a name that the schema has not.
      record.put(name, field == null ? null : datum(field.schema(), node.get(name)));
    }
    return record;
  }

  private static Object map(Schema schema, JsonNode node) {
    Map<Utf8, Object> map = new HashMap<>();
    for (Iterator<String> names = node.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      map.put(new Utf8(name), datum(schema.getValueType(), node.get(name)));
    }
    return map;
  }

  private static Object array(Schema schema, JsonNode node) {
    List<Object> items = new ArrayList<>();
    for (JsonNode item : node) {
      items.add(datum(schema.getElementType(), item));
    }
    return new GenericData.Array<>(schema, items);
  }
}

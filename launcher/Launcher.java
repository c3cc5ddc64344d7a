import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.lang.ProcessBuilder.Redirect;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;

import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.io.IOUtils;
import org.apache.hadoop.yarn.api.records.FinalApplicationStatus;
import org.apache.hadoop.yarn.client.api.AMRMClient;
import org.apache.hadoop.yarn.client.api.AMRMClient.ContainerRequest;
import org.apache.hadoop.yarn.conf.YarnConfiguration;
import org.apache.hadoop.yarn.exceptions.ApplicationAttemptNotFoundException;

/**
 * The application master of one step: runs a program in its own container and ends the application as the program
 * ended. README.md beside it says what it is given and what it answers.
 */
public final class Launcher {
  private static final int TAIL_BYTES = 2000;
  private static final String[] OURS = {
    "DATAFLOW_ARGV", "DATAFLOW_ENV", "DATAFLOW_TAGS", "DATAFLOW_LOGS", "CLASSPATH", "HADOOP_TOKEN_FILE_LOCATION"
  };

  /** Hears the end of its standard input when this one dies, and takes the program along: nobody else does so surely. */
  private static final String GUARD = "read line || kill -KILL 0";

  private final Configuration conf = new YarnConfiguration();
  private final AMRMClient<ContainerRequest> manager = AMRMClient.createAMRMClient();
  private final File stdout;
  private final File stderr;
  private boolean unregistered;

  /** Files that the NodeManager shows as the container's logs. */
  private Launcher(File logs) {
    stdout = new File(logs, "stdout");
    stderr = new File(logs, "stderr");
  }

  public static void main(String[] none) throws Exception {
    // The NodeManager names all of its disks, and shows what is on any of them.
    System.exit(new Launcher(new File(System.getenv("LOG_DIRS").split(",")[0])).run() ? 0 : 1);
  }

  private boolean run() throws Exception {
    byte[] script = script();
    manager.init(conf);
    manager.start();
    manager.registerApplicationMaster("", -1, "");
    Process guard = new ProcessBuilder("/bin/sh", "-c", GUARD).start();
    int code = program(script);
    try (OutputStream end = guard.getOutputStream()) {
      end.write('\n');
    } catch (IOException e) {
      System.err.println("who looks after this one is gone: " + e);
    }
    guard.waitFor();
    try {
      endRest();
    } catch (IOException e) {
      System.err.println("what is left is not ended: " + e);
    }
    try {
      save();
    } catch (Exception | LinkageError e) {
      // A folder of a kind that this node has no jars for, say: the step is what it is.
      System.err.println("the output is not saved: " + e);
    }
    unregister(code);
    return code == 0;
  }

  /**
   * Runs it and returns its exit code, as a shell tells it. A shell reads what to run from its standard input and
   * becomes it: Java would change the bytes of words outside of the encoding of the node's locale, and looks for
   * programs along its own PATH.
   */
  private int program(byte[] script) throws InterruptedException {
    Process program;
    try {
      ProcessBuilder builder = new ProcessBuilder("/bin/sh");
      for (String ours : OURS) {
        builder.environment().remove(ours);
      }
      program = builder.redirectOutput(Redirect.appendTo(stdout)).redirectError(Redirect.appendTo(stderr)).start();
    } catch (IOException e) {
      System.err.println("no shell: " + e);
      return 126;
    }
    Runtime.getRuntime().addShutdownHook(new Thread(program::destroy));
    Thread beats = new Thread(() -> beat(program));
    beats.setDaemon(true);
    beats.start();
    try (OutputStream stdin = program.getOutputStream()) {
      stdin.write(script);
    } catch (IOException e) {
      // It ended before it had read all; its exit code says why.
      System.err.println("the shell: " + e);
    }
    return program.waitFor();
  }

  /**
   * Ends what the program left behind in the container's group of processes: asks first, insists after five seconds.
   * The NodeManager does so too when the container ends, but not always.
   */
  private static void endRest() throws IOException, InterruptedException {
    for (int round = 0; round < 120; round++) {
      List<String> rest = rest();
      if (rest.isEmpty()) {
        return;
      }
      if (round == 0 || round >= 100) {
        String kill = (round == 0 ? "kill -TERM " : "kill -KILL ") + String.join(" ", rest);
        new ProcessBuilder("/bin/sh", "-c", kill).start().waitFor();
      }
      TimeUnit.MILLISECONDS.sleep(50);
    }
  }

  /** The processes of this one's group but itself and those that wait for it. */
  private static List<String> rest() throws IOException {
    String[] own = stat("self");
    List<String> rest = new ArrayList<>();
    for (String pid : new File("/proc").list((folder, name) -> Character.isDigit(name.charAt(0)))) {
      try {
        String[] its = stat(pid);
        boolean waits = pid.equals(own[1]) || pid.equals(own[2]);
        boolean isDead = its[0].equals("Z");
        if (its[2].equals(own[2]) && !isDead && !waits && !pid.equals(own[3])) {
          rest.add(pid);
        }
      } catch (IOException e) {
        continue; // It ended meanwhile.
      }
    }
    return rest;
  }

  /** Of a process: its state, its parent, its group, itself; proc(5). */
  private static String[] stat(String pid) throws IOException {
    String stat = new String(Files.readAllBytes(Paths.get("/proc", pid, "stat")), StandardCharsets.ISO_8859_1);
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
    return new String[] {fields[0], fields[1], fields[2], stat.substring(0, stat.indexOf(' '))};
  }

  /** Tells the ResourceManager once a second that the step lives, and the program when it shall not. */
  private void beat(Process program) {
    while (true) {
      try {
        synchronized (this) {
          if (unregistered) {
            return;
          }
          manager.allocate(0);
        }
      } catch (ApplicationAttemptNotFoundException e) {
        System.err.println("the ResourceManager does not know of this step any more: " + e.getMessage());
        program.destroy();
      } catch (Exception e) {
        System.err.println("a heartbeat failed: " + e);
      }
      try {
        TimeUnit.SECONDS.sleep(1);
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  /** Tells how it ended, until that is heard. */
  private void unregister(int code) throws InterruptedException {
    FinalApplicationStatus status = code == 0 ? FinalApplicationStatus.SUCCEEDED : FinalApplicationStatus.FAILED;
    // A line of its own: after a restart the ResourceManager puts words of its own before it, and no end of a line.
    String said = code == 0 ? "" : "\nexit code " + code + tail();
    while (true) {
      try {
        synchronized (this) {
          manager.unregisterApplicationMaster(status, said, "");
          unregistered = true;
        }
        return;
      } catch (ApplicationAttemptNotFoundException e) {
        System.err.println("nobody to tell of:" + said + "\n" + e.getMessage());
        return;
      } catch (Exception e) {
        System.err.println("its end could not be told: " + e);
        TimeUnit.SECONDS.sleep(1);
      }
    }
  }

  /** The last bytes of its standard error, whole characters. */
  private String tail() {
    try (RandomAccessFile file = new RandomAccessFile(stderr, "r")) {
      long from = Math.max(0, file.length() - TAIL_BYTES);
      byte[] bytes = new byte[(int) Math.min(TAIL_BYTES, file.length() - from)];
      file.seek(from);
      file.readFully(bytes);
      int start = 0;
      while (from > 0 && start < Math.min(3, bytes.length) && (bytes[start] & 0xc0) == 0x80) {
        start++;
      }
      return bytes.length == 0 ? "" : "\n" + new String(bytes, start, bytes.length - start, StandardCharsets.UTF_8);
    } catch (IOException e) {
      return "\n" + e;
    }
  }

  /** Copies what it said to where the client reads it when this container is gone. */
  private void save() throws IOException {
    String to = System.getenv("DATAFLOW_LOGS");
    if (to == null) {
      return;
    }
    Path folder = new Path(to);
    FileSystem files = folder.getFileSystem(conf);
    files.mkdirs(folder, new FsPermission((short) 0700));
    for (File from : new File[] {stdout, stderr}) {
      Path file = new Path(folder, from.getName());
      try (InputStream in = Files.newInputStream(from.toPath());
          OutputStream out = files.create(file, new FsPermission((short) 0600), true, 65536,
              files.getDefaultReplication(file), files.getDefaultBlockSize(file), null)) {
        IOUtils.copyBytes(in, out, 65536);
      }
    }
  }

  /** What the shell reads: the variables, and the program that takes its place. */
  private byte[] script() throws IOException, URISyntaxException {
    ByteArrayOutputStream script = new ByteArrayOutputStream();
    String configuration = configuration();
    if (configuration != null) {
      for (String name : new String[] {"HADOOP_CONF_DIR", "YARN_CONF_DIR"}) {
        word(script, "export ", (name + "=" + configuration).getBytes());
        script.write('\n');
      }
    }
    for (byte[] variable : words("DATAFLOW_ENV")) {
      word(script, "export ", variable);
      script.write('\n');
    }
    List<byte[]> arguments = words("DATAFLOW_ARGV");
    if (arguments.isEmpty()) {
      // No program is one that is not found, and no success.
      arguments.add(new byte[0]);
    }
    String before = "exec ";
    for (byte[] argument : arguments) {
      word(script, before, argument);
      before = " ";
    }
    script.write(" </dev/null\n".getBytes(StandardCharsets.US_ASCII));
    return script.toByteArray();
  }

  /** One word in single quotes, in which a shell changes nothing. */
  private static void word(ByteArrayOutputStream script, String before, byte[] word) throws IOException {
    script.write((before + "'").getBytes(StandardCharsets.US_ASCII));
    for (byte each : word) {
      script.write(each);
      if (each == '\'') {
        script.write("\\''".getBytes(StandardCharsets.US_ASCII));
      }
    }
    script.write('\'');
  }

  /** The words of a variable: base64 of words that a zero byte ends each. */
  private static List<byte[]> words(String variable) {
    List<byte[]> words = new ArrayList<>();
    String encoded = System.getenv(variable);
    ByteArrayOutputStream word = new ByteArrayOutputStream();
    for (byte each : Base64.getDecoder().decode(encoded == null ? "" : encoded)) {
      if (each == 0) {
        words.add(word.toByteArray());
        word.reset();
      } else {
        word.write(each);
      }
    }
    return words;
  }

  /**
   * A folder like the one in which this node has Hadoop's configuration, in which MapReduce finds the step's tags:
   * what the program submits can then be found, and ended, by them. `null` where the node's is not found.
   */
  private String configuration() throws IOException, URISyntaxException {
    String tags = System.getenv("DATAFLOW_TAGS");
    URL site = Launcher.class.getResource("/yarn-site.xml");
    boolean isFile = site != null && site.getProtocol().equals("file");
    File[] nodes = isFile ? new File(site.toURI()).getParentFile().listFiles() : null;
    if (tags == null || nodes == null) {
      System.err.println("MapReduce gets no tags `" + tags + "` by " + site);
      return null;
    }
    // No file of the step has that name.
    File folder = Files.createTempDirectory(Paths.get("").toAbsolutePath(), "launcher-").toFile();
    Configuration mapred = new Configuration(false);
    for (File file : nodes) {
      if (file.getName().equals("mapred-site.xml")) {
        mapred.addResource(new Path(file.toURI()));
      } else {
        Files.createSymbolicLink(new File(folder, file.getName()).toPath(), file.toPath());
      }
    }
    String theirs = mapred.getRaw("mapreduce.job.tags");
    mapred.set("mapreduce.job.tags", theirs == null ? tags : theirs + "," + tags);
    try (OutputStream out = Files.newOutputStream(new File(folder, "mapred-site.xml").toPath())) {
      mapred.writeXml(out);
    }
    return folder.getPath();
  }
}

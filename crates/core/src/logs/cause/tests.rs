//! The table of rules, each both ways, and what is more telling than what.

use std::collections::BTreeSet;

use super::*;

/// A rule, a line it knows with what it says of it, and a line that only looks like one.
#[rustfmt::skip]
const LINES: &[(&str, &str, &str, &str)] = &[
    ("too-many-threads", "java.lang.OutOfMemoryError: unable to create new native thread", "the JVM could not start one more thread", "created a new native thread"),
    ("out-of-memory", "java.lang.OutOfMemoryError: Metaspace", "the JVM ran out of memory (Metaspace)", "java -XX:OnOutOfMemoryError='kill -9 %p' Main"),
    ("out-of-memory", "java.lang.OutOfMemoryError: GC overhead limit exceeded", "the JVM ran out of memory (GC overhead limit exceeded)", "OutOfMemoryError is handled"),
    ("gc-overhead", "worker: GC overhead limit exceeded", "the JVM did little but collect garbage: it is short of memory", "-XX:-UseGCOverheadLimit"),
    ("beyond-physical-memory", "Container [pid=7,containerID=container_1_0001_01_000002] is running beyond physical memory limits. Current usage: 1.1 GB of 1 GB physical memory used; 2.9 GB of 2.1 GB virtual memory used. Killing container.", "YARN killed a container that used more memory than it asked for (1.1 GB of 1 GB)", "1.1 GB of 2 GB physical memory used"),
    ("beyond-virtual-memory", "Container killed by YARN for exceeding virtual memory limits. 5 GB of 4 GB virtual memory used.", "YARN killed a container for its virtual memory (5 GB of 4 GB)", "5 GB of 9 GB virtual memory used"),
    ("beyond-virtual-memory", "Container [pid=7,containerID=c] is running beyond virtual memory limits. Current usage: 0.1 GB of 1 GB physical memory used; 2.9 GB of 2.1 GB virtual memory used. Killing container.", "YARN killed a container for its virtual memory (2.9 GB of 2.1 GB)", "virtual memory limits are off"),
    ("container-104", "AM Container for appattempt_1_0005_000002 exited with  exitCode: -104", "YARN killed a container that used more memory than it asked for (-104)", "exitCode: -104"),
    ("container-103", "Container marked as failed. Exit status: -103.", "YARN killed a container for its virtual memory (-103)", "Container is at 103"),
    ("machine-out-of-memory", "OpenJDK warning: os::commit_memory(1, 2, 0) failed; error='Cannot allocate memory' (errno=12)", "the machine has no memory left for the program", "allocated memory"),
    ("python-memory", "MemoryError: Unable to allocate 8 GiB for an array", "the Python program ran out of memory", "no MemoryError was seen"),
    ("container-137", "Container exited with a non-zero exit code 137. Error file: prelaunch.err.", "a container was killed (exit code 137), most likely for lack of memory", "exit code 137 of something"),
    ("disk-full", "java.io.IOException: No space left on device", "a disk is full", "space left on device: 3 GiB"),
    ("driver-memory-too-small", "java.lang.IllegalArgumentException: System memory 268435456 must be at least 471859200. Please increase heap size", "the driver has less memory than Spark can start with (471859200 bytes)", "count must be at least 3"),
    ("results-too-large", "Total size of serialized results of 8 tasks (1.1 GiB) is bigger than spark.driver.maxResultSize (1024.0 MiB)", "the results that the driver collects are larger than it may take", "spark.driver.maxResultSize=1g"),
    ("bad-credentials", "com.amazonaws.AmazonServiceException: The provided token has expired. (Error Code: ExpiredToken)", "the step has no valid AWS credentials (ExpiredToken)", "the token is fresh"),
    ("hdfs-denied", "org.apache.hadoop.security.AccessControlException: Permission denied: user=livy, access=WRITE, inode=\"/data/x\":hdfs:hdfs:drwxr-xr-x", "HDFS refuses `livy` WRITE on `/data/x`", "user=livy, access=WRITE"),
    ("access-denied", "AmazonS3Exception: Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied; Request ID: ABC; x)", "access was denied (request ABC)", "Status Code: 200"),
    ("access-denied", "User: arn:aws:sts::1:assumed-role/EMR_EC2_DefaultRole/i-1 is not authorized to perform: glue:GetTable on resource: x", "access was denied to glue:GetTable", "is authorized to perform: x"),
    ("no-bucket", "The specified bucket does not exist (Service: Amazon S3; Error Code: NoSuchBucket)", "the bucket does not exist", "the bucket exists"),
    ("s3-slow-down", "AmazonS3Exception: Please reduce your request rate. (Error Code: SlowDown)", "S3 refused more requests: too many at once under one prefix", "slow down a little"),
    ("output-exists", "org.apache.spark.sql.AnalysisException: path s3://b/out already exists.", "`s3://b/out` already exists, and the step does not write over it", "database already exists"),
    ("output-exists", "AnalysisException: [PATH_ALREADY_EXISTS] Path s3://b/out already exists. Set mode as \"overwrite\"", "`s3://b/out` already exists, and the step does not write over it", "[TABLE_ALREADY_EXISTS]"),
    ("no-match", "InvalidInputException: Input Pattern s3://b/*.gz matches 0 files", "no file matches `s3://b/*.gz`", "Input Pattern s3://b/*.gz matches 2 files"),
    ("no-jar", "JAR does not exist or is not a normal file: /tmp/x.jar", "the jar `/tmp/x.jar` is not there, or is none", "the jar is a normal file"),
    ("no-jar", "Error: Unable to access jarfile app.jar", "the jar `app.jar` is not there, or is none", "jarfile app.jar"),
    ("no-program", "bash: line 3: aws: command not found", "the program `aws` is not there", "command not found: none"),
    ("no-program", "java.io.IOException: Cannot run program \"spark-sbmit\" (in directory \".\"): error=2, No such file or directory", "the program `spark-sbmit` is not there", "ran program \"x\""),
    ("no-program", "Container exited with a non-zero exit code 127", "a container has a command that is not there (127)", "exit code 127 of something"),
    ("not-executable", "java.io.IOException: Cannot run program \"/x/run.sh\": error=13, Permission denied", "the program `/x/run.sh` cannot be executed", "error=13"),
    ("not-executable", "Container exited with a non-zero exit code 126", "a container has a command that cannot be executed (126)", "exit code 126 of something"),
    ("permission-denied", "sh: /x/run.sh: Permission denied", "the step may not do what it tries to", "permission was denied"),
    ("missing-input", "org.apache.hadoop.mapred.InvalidInputException: Input path does not exist: hdfs://n:8020/in", "`hdfs://n:8020/in` does not exist", "the path does exist"),
    ("missing-input", "java.io.FileNotFoundException: File does not exist: /user/hadoop/x.avro", "`/user/hadoop/x.avro` does not exist", "a file"),
    ("missing-input", "java.io.FileNotFoundException: s3://b/k (No such file or directory)", "`s3://b/k` does not exist", "found"),
    ("missing-input", "FileNotFoundError: [Errno 2] No such file or directory: 'rows.csv'", "`rows.csv` does not exist", "No file"),
    ("missing-input", "ls: cannot access /x/y: No such file or directory", "`/x/y` does not exist", "/x/y: a directory"),
    ("missing-input", "java.nio.file.NoSuchFileException: /x/y", "`/x/y` does not exist", "Exception: /x/y"),
    ("no-key", "AmazonS3Exception: The specified key does not exist. (Error Code: NoSuchKey; Request ID: R1; x)", "an object does not exist (request R1)", "the key is there"),
    ("dist-cp", "java.lang.RuntimeException: Reducer task failed to copy 3 files: s3://b/a etc", "s3-dist-cp could not copy 3 files, such as `s3://b/a`", "Reducer task copied 3 files"),
    ("safe-mode", "org.apache.hadoop.hdfs.server.namenode.SafeModeException: Cannot create file /x. Name node is in safe mode.", "HDFS is in safe mode: it takes no writes", "safe mode is OFF"),
    ("wrong-java", "java.lang.UnsupportedClassVersionError: com/acme/Main has been compiled by a more recent version", "`com.acme.Main` was compiled for a newer Java than the cluster's", "class version 55"),
    ("missing-class", "java.lang.NoClassDefFoundError: com/acme/Util", "the class `com.acme.Util` is not there", "found class com.acme.Util"),
    ("missing-class", "Error: Failed to load class com.acme.Job.", "the class `com.acme.Job` is not there", "Failed to load"),
    ("missing-class", "Failed to find data source: avro. Please find packages", "the class `avro` is not there", "the data source avro"),
    ("clash-of-versions", "java.lang.NoSuchMethodError: scala.Predef$.refArrayOps([Ljava/lang/Object;)Lscala/x;", "two versions of a library clash (NoSuchMethodError: scala.Predef$.refArrayOps([Ljava/lang/Object)", "NoSuchMethodError"),
    ("missing-module", "ModuleNotFoundError: No module named 'pandas'", "the Python module `pandas` is not there", "the module named 'pandas'"),
    ("python-syntax", "SyntaxError: invalid syntax", "the Python program is not valid: SyntaxError: invalid syntax", "no SyntaxError: at all"),
    ("missing-table", "org.apache.spark.sql.AnalysisException: Table or view not found: db.t; line 1 pos 14", "the table or database `db.t` is not there", "a table"),
    ("missing-table", "[TABLE_OR_VIEW_NOT_FOUND] The table or view `db`.`t` cannot be found.", "the table or database `db.t` is not there", "[TABLE] The table or view"),
    ("unknown-option", "Error: Unrecognized option: --num-executor", "the program does not know the option `--num-executor`", "the option: --x"),
    ("missing-argument", "job.py: error: the following arguments are required: --day", "the program misses arguments: --day", "the arguments are --day"),
    ("hive", "FAILED: Execution Error, return code 2 from org.apache.hadoop.hive.ql.exec.mr.MapRedTask", "Hive: Execution Error, return code 2 from org.apache.hadoop.hive.ql.exec.mr.MapRedTask", "final status: FAILED: x"),
    ("hive", "FAILED: ParseException line 3:0 cannot recognize input near '<EOF>'", "Hive: ParseException line 3:0 cannot recognize input near '<EOF>'", "PARTLY FAILED"),
    ("pig", "2026-11-22 10:00:02,000 [main] ERROR org.apache.pig.tools.grunt.Grunt - ERROR 1066: Unable to open iterator for alias a", "Pig: error 1066: Unable to open iterator for alias a", "1066: x"),
    ("unknown-queue", "Application application_1_0004 submitted by user hadoop to unknown queue: night", "YARN has no queue `night` that takes applications", "queue: night"),
    ("asks-too-much", "Required executor memory (20480), overhead (2048 MB) is above the max threshold (12288 MB) of this cluster!", "the step asks for larger containers than the cluster gives", "memory is below the max"),
    ("master-timed-out", "ApplicationMaster for attempt appattempt_1_0001_000001 timed out. Failing the application.", "the application's master did not tell YARN of itself in time", "ApplicationMaster for attempt 1 is up"),
    ("localisation", "AM Container for appattempt_1_0001_000002 exited with  exitCode: -1000", "YARN could not fetch a file that a container needs (-1000)", "exitCode: -1000"),
    ("node-lost", "Exit status: -100. Diagnostics: Container released on a *lost* node.", "a node was lost while it ran a container (-100)", "a node"),
    ("disks-failed", "Container marked as failed: container_1. Exit status: -101.", "the disks of a node failed or are nearly full (-101)", "101 disks"),
    ("preempted", "Container container_1 was preempted: exitStatus=-102", "YARN took a container away for another queue (-102)", "Container 102"),
    ("killed-by-user", "Application application_1_0001 was killed by user hadoop at 10.0.0.1", "the application was killed by `hadoop`", "by user hadoop"),
    ("too-many-attempts", "Application application_1_0001 failed 2 times due to an unknown thing", "YARN started the application_1_0001 2 times, and it failed: an unknown thing", "Application application_1_0001 ended"),
    ("unknown-host", "java.net.UnknownHostException: db.internal", "the host `db.internal` has no address", "a host"),
    ("connection-refused", "java.net.ConnectException: Call From a/10.0.0.1 to b:8020 failed on connection exception: java.net.ConnectException: Connection refused", "a connection to `b:8020` was refused", "connection is fine"),
    ("connection-timed-out", "java.net.SocketTimeoutException: connect timed out", "nobody answered a connection", "timed out"),
    ("request-failed", "SdkClientException: Unable to execute HTTP request: Read timed out", "a request failed: Read timed out", "HTTP request: x"),
    ("certificate", "javax.net.ssl.SSLHandshakeException: PKIX path building failed", "a TLS connection failed: the certificate of the other side is not trusted", "SSL is on"),
    ("user-class", "ERROR ApplicationMaster: User class threw exception: odd", "the program threw odd", "User class"),
    ("stage-failure", "SparkException: Job aborted due to stage failure: Task 0 failed 4 times", "Spark gave up: Task 0 failed 4 times", "Job aborted by hand"),
    ("failed-status", "Application application_1_0002 finished with failed status", "the application_1_0002 failed", "Application application_1_0002 finished"),
    ("exception", "Exception in thread \"main\" com.acme.Odd: x", "com.acme.Odd: x", "an Exception in thread"),
    ("error-line", "job.py: error: bad day", "job.py: error: bad day", "there is no error: all is well"),
    ("error-line", "26/11/22 10:00:01 ERROR Main: it is over", "26/11/22 10:00:01 ERROR Main: it is over", "26/11/22 10:00:01 INFO Main: it is over"),
    ("container", "Container exited with a non-zero exit code 143", "a container ended with exit code 143: it was asked to end", "Container exited with a non-zero exit code 0"),
    ("command", "Command exiting with ret '1'", "the command ended with exit code 1", "Command exiting with ret '0'"),
    ("step", "2026-11-22T10:00:41Z WARN Step failed with exitCode -1 and took 2586 seconds", "the step ended with exit code -1: it was ended from outside, or EMR lost sight of it", "INFO Step succeeded with exitCode 0 and took 2 seconds"),
];

#[test]
fn every_rule_knows_its_lines_and_no_others() {
    for (name, line, says, other) in LINES {
        let found = rules::find(line).unwrap_or_else(|| panic!("no rule knows `{line}`"));
        assert_eq!((rules::name(line), found.sentence.as_str()), (Some(*name), *says), "{line}");
        assert_ne!(rules::name(other), Some(*name), "{other}");
    }
    let tested: BTreeSet<_> = LINES.iter().map(|(name, ..)| *name).collect();
    let all: BTreeSet<_> = rules::all().map(|rule| rule.name).collect();
    assert_eq!(tested, all);
    assert_eq!(rules::all().count(), all.len(), "two rules have one name");
}

fn cause(logs: &[(&str, Kind, &str)]) -> Option<(String, String)> {
    let mut detective = Detective::default();
    for (name, kind, text) in logs {
        detective.begin(name, *kind);
        text.lines().for_each(|line| detective.line(line));
    }
    detective.verdict().map(|cause| (cause.sentence, cause.file))
}

fn sentence(log: &str) -> String {
    cause(&[("stderr", Kind::Stderr, log)]).map(|(sentence, _)| sentence).unwrap_or_default()
}

const TRACE: &str = "java.lang.IllegalStateException: odd\n\tat com.acme.A.b(A.java:1)\n";
const TOLD: &str = "java.lang.IllegalStateException: odd, at com.acme.A.b(A.java:1)";

#[test]
fn what_is_more_telling_comes_first_wherever_it_stands() {
    let end = "Command exiting with ret '1'\n";
    for (log, said) in [
        // An exit code is better than nothing, and anything better than it.
        (end.to_owned(), "the command ended with exit code 1"),
        (format!("{end}Error: bad day\n"), "Error: bad day"),
        // A trace tells more than a line that a rule knows, and a line that a rule knows more than a messenger.
        (format!("x: command not found\n{TRACE}{end}"), TOLD),
        (
            "Exception in thread \"main\" org.apache.spark.SparkException: Application application_1 finished with failed status\n\tat org.apache.x.Y.z(Y.java:1)\nx: command not found\n".to_owned(),
            "the program `x` is not there",
        ),
        // What is deadly comes before all, but not if it was only warned of.
        (format!("{TRACE}disk: No space left on device\n{TRACE}"), "a disk is full"),
        (format!("26/11/22 10:00:00 WARN Disk: No space left on device\n{TRACE}"), TOLD),
        ("26/11/22 10:00:00 WARN Disk: No space left on device\n".to_owned(), "a disk is full"),
        // What was warned of and survived is none.
        ("26/11/22 10:00:00 INFO A: Connection refused\n".to_owned(), ""),
        (format!("{TRACE}26/11/22 10:00:00 WARN A: retry\njava.io.IOException: x\n\tat a.B.c(D.java:1)\n"), TOLD),
        // The last trace counts, whether a rule knows it or not.
        (format!("java.io.IOException: Connection refused\n\tat a.B.c(D.java:1)\n{TRACE}"), TOLD),
        (
            format!("{TRACE}java.io.IOException: Connection refused\n\tat a.B.c(D.java:1)\n"),
            "a connection was refused",
        ),
    ] {
        assert_eq!(sentence(&log), said, "{log}");
    }
}

#[test]
fn of_two_logs_that_tell_as_much_the_first_is_quoted() {
    let logs = [
        ("stderr", Kind::Stderr, "a: command not found\n"),
        ("syslog", Kind::Syslog, "b: command not found\n"),
        ("controller", Kind::Controller, "Step failed with exitCode 1 and took 2 seconds\n"),
    ];
    let said = ("the program `a` is not there".to_owned(), "stderr".to_owned());
    assert_eq!(cause(&logs), Some(said));
    let mut logs = logs;
    logs.reverse();
    assert_eq!(cause(&logs).map(|(_, file)| file).as_deref(), Some("stderr"));
    // A trace does not go on in the next log.
    let parted = [
        ("stderr", Kind::Stderr, "java.lang.IllegalStateException: odd\n"),
        ("stdout", Kind::Stdout, "\tat com.acme.A.b(A.java:1)\n"),
    ];
    assert_eq!(cause(&parted), None);
}

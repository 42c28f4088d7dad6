"""kafka.py: the stack's own Apache Kafka: one node, KRaft, on 127.0.0.1.

The jars come from Maven Central by the pom beside this file, once, into a cache
of the user's; every stack shares them. Data and settings are the stack's.
"""
import base64
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import uuid

from home import Trouble, write

POM = pathlib.Path(__file__).with_name("pom.xml")
VERSION = re.search(r"<kafka.version>(.*?)<", POM.read_text())[1]
HEAP = "384m"
JAVA = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true"]
LOGGING = {"defaultLogLevel": "warn", "showDateTime": "true",
           "dateTimeFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
           "log.kafka.server.KafkaRaftServer": "info"}
READY = b"Kafka Server started"
# One node is no cluster: everything is replicated once, and small. A broker that
# was killed registers anew once its last life's session is over (else 9 s).
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{kafka},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{kafka}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=kafka
auto.create.topics.enable=false
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
num.partitions=1
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
num.network.threads=2
num.io.threads=2
background.threads=2
log.cleaner.dedupe.buffer.size=8388608
"""


def cache():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(base) / "errand" / f"kafka-{VERSION}"


def java():
    found = shutil.which("java")
    if found is None:
        raise Trouble("java is not there (openjdk-17-jre-headless): `make deps`")
    return found


def fetch():
    """The directory of the jars; fetched where they are not there yet."""
    directory = cache()
    if directory.is_dir():
        return directory
    if shutil.which("mvn") is None:
        raise Trouble(f"Apache Kafka {VERSION}'s jars are not in {directory}, and"
                      " mvn (the package maven), which fetches them, is not"
                      " there: `make deps`")
    print(f"fetching Apache Kafka {VERSION} into {directory}", flush=True)
    directory.parent.mkdir(parents=True, exist_ok=True)
    new = tempfile.mkdtemp(dir=directory.parent, prefix=".new-")
    try:
        done = subprocess.run(
            ["mvn", "-B", "-q", "-Dstyle.color=never", "-f", str(POM),
             "dependency:copy-dependencies", f"-DoutputDirectory={new}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0 or not any(pathlib.Path(new).glob("kafka_*.jar")):
            raise Trouble(unfetched(directory, done.stdout))
        try:
            os.rename(new, directory)
        except OSError:
            if not directory.is_dir():  # else another stack was faster
                raise
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return directory


def unfetched(directory, said):
    said = re.sub(r"\x1b\[[0-9;]*m", "", said)
    errors = re.findall(r"^\[ERROR\] (?!To see|Re-run)(\S.*)", said, re.M)
    return "\n".join([
        f"Apache Kafka {VERSION} is missing, and Maven could not fetch it:",
        *("  " + line for line in errors[:1] or said.splitlines()[-3:]),
        "What is needed: the jars of org.apache.kafka:kafka_2.13 and :kafka-tools"
        f" {VERSION}, org.slf4j:slf4j-simple 1.7.36, and what they depend on, in",
        f"  {directory}",
        "Either let Maven reach a mirror of Maven Central (~/.m2/settings.xml),"
        " or copy that directory from a machine that has it."])


def command(main, *arguments):
    jars = sorted(str(jar) for jar in cache().glob("*.jar"))
    return [java(), f"-Xmx{HEAP}", *JAVA,
            *(f"-Dorg.slf4j.simpleLogger.{k}={v}" for k, v in LOGGING.items()),
            "-cp", ":".join(jars), main, *arguments]


def prepare(home):
    """Settings, and the log directory, formatted once."""
    fetch()
    write(home / "conf/kafka.properties", PROPERTIES.format(**home.ports()))
    if (home / "kafka/meta.properties").exists():
        return
    shutil.rmtree(home / "kafka", ignore_errors=True)
    cluster = base64.urlsafe_b64encode(b"errand" + uuid.uuid4().bytes[:10])
    done = subprocess.run(
        command("kafka.tools.StorageTool", "format", "-t",
                cluster.decode().rstrip("="), "-c", "conf/kafka.properties"),
        cwd=home.path, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        shutil.rmtree(home / "kafka", ignore_errors=True)
        raise Trouble(f"Kafka's storage could not be formatted: {done.stderr}")


def spec(_home):
    return {"argv": command("kafka.Kafka", "conf/kafka.properties"),
            "signal": signal.SIGTERM, "patience": 15, "order": 1}


def is_ready(home, offset):
    """The broker's own word, in what it logged since its start."""
    with open(home / "log/kafka.log", "rb") as log:
        log.seek(offset)
        return READY in log.read()


def address(home):
    return f"127.0.0.1:{home.ports()['kafka']}"

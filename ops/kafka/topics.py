#!/usr/bin/python3
"""topics.py: makes the topics that schema/topics.def names.

In: brokers, and the file. Out: the topics, with partitions and settings as its
rows say; a target's two are the authorizer's to make. May be repeated: what is
there stays, and its settings are brought to the file's. A topic with another
number of partitions refuses: keys would map elsewhere.
"""
import argparse
import pathlib
import sys

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

DEFINITIONS = pathlib.Path(__file__).resolve().parents[2] / "schema/topics.def"
TIMEOUT = 30.0


class Refused(Exception):
    pass


def read(path):
    """{name: (partitions, {setting: value})} of the rows that are for us."""
    topics = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        columns = line.split()
        if not columns or columns[0].startswith("#") or "<" in columns[0]:
            continue
        if len(columns) < 5 or not columns[1].isdigit():
            raise Refused(f"{path}:{number}: not 'name partitions key"
                          " written-by read-by [setting=value …]'")
        settings = dict(s.split("=", 1) for s in columns[5:])
        topics[columns[0]] = (int(columns[1]), settings)
    return topics


def make(admin, topics, replication):
    """Makes what is missing; returns the names that were."""
    there = admin.list_topics(timeout=TIMEOUT).topics
    for name, (partitions, _) in topics.items():
        if name in there and len(there[name].partitions) != partitions:
            raise Refused(f"{name} has {len(there[name].partitions)} partitions,"
                          f" not {partitions}")
    missing = [NewTopic(name, partitions, replication, config=settings)
               for name, (partitions, settings) in topics.items()
               if name not in there]
    if missing:
        for future in admin.create_topics(missing, request_timeout=TIMEOUT,
                                          operation_timeout=TIMEOUT).values():
            future.result()
    return [topic.topic for topic in missing]


def adjust(admin, topics):
    """Brings the settings of topics that were there to the file's."""
    resources = [ConfigResource("topic", name) for name in topics]
    changed = []
    if not resources:
        return changed
    for resource, future in admin.describe_configs(resources).items():
        wanted = topics[resource.name][1]
        now = {k: entry.value for k, entry in future.result().items()}
        if any(now.get(k) != v for k, v in wanted.items()):
            changed.append(ConfigResource("topic", resource.name, wanted))
    if changed:
        for future in admin.alter_configs(changed).values():
            future.result()
    return [resource.name for resource in changed]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--brokers", required=True, metavar="HOST:PORT,…")
    parser.add_argument("--definitions", type=pathlib.Path, default=DEFINITIONS)
    parser.add_argument("--replication", type=int, default=-1,
                        help="replicas of each; default: the broker's setting")
    args = parser.parse_args()
    topics = read(args.definitions)
    admin = AdminClient({"bootstrap.servers": args.brokers})
    made = make(admin, topics, args.replication)
    there = {name: row for name, row in topics.items() if name not in made}
    changed = adjust(admin, there)
    for word, names in (("made", made), ("adjusted", changed)):
        for name in names:
            print(word, name)


if __name__ == "__main__":
    try:
        main()
    except (Refused, OSError, KafkaException) as error:
        sys.exit(f"topics: {error}")

"""Counts words: INPUT OUTPUT."""

import sys
from operator import add

from pyspark import SparkContext

spark = SparkContext()
words = spark.textFile(sys.argv[1]).flatMap(str.split).map(lambda word: (word, 1)).reduceByKey(add)
words.map(lambda pair: f"{pair[0]}\t{pair[1]}").saveAsTextFile(sys.argv[2])
spark.stop()

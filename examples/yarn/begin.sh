#!/bin/sh
# Ends with 3 where there are no words of that day.
hadoop fs -test -e "hdfs:///words/$1" || exit 3

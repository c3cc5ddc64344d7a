#!/bin/sh
# Ends with 3 where there are no words of that day.
hadoop fs -test -e "$1" || exit 3

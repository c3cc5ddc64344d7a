# report.sh DAY FOLDER "COUNTRY …": writes FOLDER/report/report.txt from what the other steps left in FOLDER.
set -eu
day=$1
cd "$2"
mkdir -p report
{
  echo "orders of $day"
  echo
  # Countries are words without spaces.
  for country in $3; do cat "revenue-$country"; done |
    sort -k3,3nr |
    awk '{ printf "%-3s %4d orders %9.2f EUR\n", $1, $2, $3 / 100 }'
  echo
  awk '{ printf "%4d times %s\n", $1, $2 }' products
  echo
  for country in $3; do cat "revenue-$country"; done |
    awk -v total="$(cat total)" '{ sum += $3 } END {
      printf "revenue: %.2f EUR\n", total / 100
      printf "unaccounted: %.2f EUR\n", (total - sum) / 100
    }'
} >report/report.new
mv report/report.new report/report.txt

# check.sh ORDERS RESULT: writes the orders without their heading; exit code 3 where there are none.
set -eu
if [ ! -s "$1" ]; then
  echo "there is no file of orders" >&2
  exit 3
fi
awk 'NR > 1' "$1" >"$2"
count=$(wc -l <"$2")
echo "$((count)) orders"
[ "$count" -gt 0 ] || exit 3

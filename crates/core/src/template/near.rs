//! Did you mean …?

/// The candidate most like `word`, if any is close: at most a third of its letters differ (a swap of
/// neighbours counts once, and so does upper for lower case).
pub(super) fn nearest<'c>(
    word: &str,
    candidates: impl Iterator<Item = &'c str>,
) -> Option<&'c str> {
    let length = word.chars().count();
    if length > 64 {
        return None;
    }
    let bound = length.div_ceil(3);
    candidates
        .filter(|c| c.len() <= 256)
        .map(|c| (distance(word, c), c))
        .filter(|(d, _)| *d <= bound)
        .min_by_key(|(d, _)| *d)
        .map(|(_, c)| c)
}

/// How many letters must be put in, left out, exchanged or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    if a.eq_ignore_ascii_case(b) {
        return usize::from(a != b);
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let exchange = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = exchange.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_slips_and_nothing_else() {
        let near = |word| nearest(word, ["date", "region", "bucketName"].into_iter());
        assert_eq!(near("dtae"), Some("date"));
        assert_eq!(near("regoin"), Some("region"));
        assert_eq!(near("bucketname"), Some("bucketName"));
        assert_eq!(near("other"), None);
    }
}

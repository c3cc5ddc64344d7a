//! "Did you mean …?"

/// A word longer than this is no typing error.
const LONGEST: usize = 40;

/// The candidate that `word` was most likely meant to be, if any: the same but for case, `_` and `-`, or few letters away.
pub fn suggest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    if word.len() > LONGEST {
        return None;
    }
    let (mut wanted, mut other) = (Vec::new(), Vec::new());
    let letters = plain(word, &mut wanted);
    let mut rows = Rows::default();
    let near = candidates.into_iter().filter_map(|candidate| {
        let others = plain(candidate, &mut other);
        let allowed = wanted.len().max(other.len()).div_ceil(4);
        // Each change brings one letter at most that the other word has, and takes one away that it has not.
        let least = (letters & !others).count_ones().max((others & !letters).count_ones());
        if wanted.len().abs_diff(other.len()).max(least as usize) > allowed {
            return None;
        }
        let distance = rows.distance(&wanted, &other);
        (distance <= allowed && distance < other.len()).then_some((distance, candidate))
    });
    near.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

/// The letters of a word that matter, and a set of them: of two letters with one bit only one is told.
fn plain(word: &str, to: &mut Vec<char>) -> u64 {
    to.clear();
    for c in word.chars().filter(|c| !matches!(c, '_' | '-')) {
        match c.is_ascii() {
            true => to.push(c.to_ascii_lowercase()),
            false => to.extend(c.to_lowercase()),
        }
    }
    to.iter().fold(0, |letters, c| letters | 1 << (u32::from(*c) % 64))
}

/// `` `a`, `b` or `c` ``.
pub fn list<'c>(words: impl IntoIterator<Item = &'c str>) -> String {
    let words: Vec<_> = words.into_iter().map(|w| format!("`{w}`")).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

/// Room for the distances of the beginnings of two words: one for many pairs, as there may be very many.
#[derive(Default)]
struct Rows {
    before: Vec<usize>,
    last: Vec<usize>,
    next: Vec<usize>,
}

impl Rows {
    /// How many letters must be put in, taken out, replaced or swapped with their neighbour.
    fn distance(&mut self, a: &[char], b: &[char]) -> usize {
        let Self { before, last, next } = self;
        last.clear();
        last.extend(0..=b.len());
        for i in 1..=a.len() {
            next.clear();
            next.push(i);
            for j in 1..=b.len() {
                let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut least = replaced.min(last[j] + 1).min(next[j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    least = least.min(before[j - 2] + 1);
                }
                next.push(least);
            }
            std::mem::swap(before, last);
            std::mem::swap(last, next);
        }
        last[b.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant() {
        let candidates = ["jar", "mainClass", "arguments", "CUSTOM_JAR"];
        let meant = |word| suggest(word, candidates);
        assert_eq!(meant("jra"), Some("jar"));
        assert_eq!(meant("Main_Class"), Some("mainClass"));
        assert_eq!(meant("argumens"), Some("arguments"));
        assert_eq!(meant("customjar"), Some("CUSTOM_JAR"));
        assert_eq!(meant("-j_a-r"), Some("jar"));
        assert_eq!(meant("mapper"), None);
        assert_eq!(meant(""), None);
        assert_eq!(meant(&"jar".repeat(1000)), None);
        assert_eq!(suggest("b", ["a"]), None, "nothing in common");
        assert_eq!(suggest(&"x".repeat(41), ["x".repeat(40).as_str()]), None, "no typing error");
        let distance = |a: &str, b: &str| {
            Rows::default().distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>())
        };
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!((distance("", "abc"), distance("abc", ""), distance("ab", "ba")), (3, 3, 1));
    }

    proptest::proptest! {
        #[test]
        fn what_is_not_looked_at_closely_would_not_have_been_near(
            word in "[abAB0_é]{0,7}",
            candidates in proptest::collection::vec("[abAB0_é]{0,9}", 0..8),
        ) {
            let near = candidates.iter().filter_map(|candidate| {
                let (mut a, mut b) = (Vec::new(), Vec::new());
                _ = (plain(&word, &mut a), plain(candidate, &mut b));
                let distance = Rows::default().distance(&a, &b);
                let near = distance <= a.len().max(b.len()).div_ceil(4) && distance < b.len();
                near.then_some((distance, candidate.as_str()))
            });
            let nearest = near.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate);
            proptest::prop_assert_eq!(suggest(&word, candidates.iter().map(String::as_str)), nearest);
        }
    }

    #[test]
    fn lists_read_well() {
        assert_eq!(list(["a"]), "`a`");
        assert_eq!(list(["a", "b", "c"]), "`a`, `b` or `c`");
        assert_eq!(list([]), "");
    }
}

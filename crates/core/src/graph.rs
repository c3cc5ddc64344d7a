//! Which of some things need which others. They are named by their places, from 0.

use std::collections::HashMap;

/// What needs what.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graph {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    needs: Vec<usize>,
    needed_by: Vec<usize>,
}

impl Graph {
    /// The graph in which the first needs what the first list says, and so on. `None`: a place is too high.
    pub(crate) fn new(needs: impl ExactSizeIterator<Item = Vec<usize>>) -> Option<Self> {
        let mut nodes = vec![Node::default(); needs.len()];
        for (place, mut needs) in needs.enumerate() {
            needs.sort_unstable();
            needs.dedup();
            for &need in &needs {
                nodes.get_mut(need)?.needed_by.push(place);
            }
            nodes[place].needs = needs;
        }
        Some(Self { nodes })
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// What one needs, in order.
    pub(crate) fn needs(&self, place: usize) -> &[usize] {
        &self.nodes[place].needs
    }

    /// What needs it, in order.
    pub(crate) fn needed_by(&self, place: usize) -> &[usize] {
        &self.nodes[place].needed_by
    }

    /// All, such that each comes after those it needs; those of a cycle, and behind one, are left out.
    pub(crate) fn topological(&self) -> Vec<usize> {
        let mut missing: Vec<usize> = self.nodes.iter().map(|n| n.needs.len()).collect();
        let mut order: Vec<usize> = (0..self.len()).filter(|&n| missing[n] == 0).collect();
        let mut next = 0;
        while let Some(&place) = order.get(next) {
            next += 1;
            for &waiting in self.needed_by(place) {
                missing[waiting] -= 1;
                if missing[waiting] == 0 {
                    order.push(waiting);
                }
            }
        }
        order
    }

    /// Each cycle that is found by walking from the first place that is in one, or behind one: each needs the next,
    /// and the last the first.
    pub(crate) fn cycles(&self) -> Vec<Vec<usize>> {
        let mut clear = vec![false; self.len()];
        for place in self.topological() {
            clear[place] = true;
        }
        let mut cycles = Vec::new();
        for start in 0..self.len() {
            if clear[start] {
                continue;
            }
            // Whatever is not clear needs another that is not: so the walk must come round, or reach one that it has
            // cleared.
            let mut path = vec![start];
            let mut seen: HashMap<usize, usize> = HashMap::from([(start, 0)]);
            let cycle = loop {
                let last = path[path.len() - 1];
                let Some(&next) = self.needs(last).iter().find(|&&n| !clear[n]) else { break None };
                if let Some(&at) = seen.get(&next) {
                    break Some(path.split_off(at));
                }
                seen.insert(next, path.len());
                path.push(next);
            };
            for &place in path.iter().chain(cycle.iter().flatten()) {
                clear[place] = true;
            }
            cycles.extend(cycle);
        }
        cycles
    }
}

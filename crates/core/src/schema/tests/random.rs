//! Random schemas, values made from them, and single faults put into those values.

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use super::{Mode, faults};

/// A type, from which a schema and values are made.
#[derive(Clone, Debug)]
enum Model {
    Primitive(&'static str),
    Enum,
    Fixed(usize),
    Array(Box<Model>),
    Map(Box<Model>),
    /// Fields, and whether each has a default (its own sample).
    Record(Vec<(Model, bool)>),
    Nullable(Box<Model>),
    Union(Vec<Model>),
}

const PRIMITIVES: &[&str] =
    &["null", "boolean", "int", "long", "float", "double", "bytes", "string"];

fn models() -> impl Strategy<Value = Model> {
    let leaf = prop_oneof![
        4 => prop::sample::select(PRIMITIVES).prop_map(Model::Primitive),
        1 => Just(Model::Enum),
        1 => (0..4usize).prop_map(Model::Fixed),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let not_null = inner.clone().prop_filter("not a union", |m| {
            !matches!(m, Model::Nullable(_) | Model::Union(_) | Model::Primitive("null"))
        });
        prop_oneof![
            inner.clone().prop_map(|m| Model::Array(Box::new(m))),
            inner.clone().prop_map(|m| Model::Map(Box::new(m))),
            prop::collection::vec((inner, any::<bool>()), 0..4).prop_map(Model::Record),
            not_null.clone().prop_map(|m| Model::Nullable(Box::new(m))),
            prop::collection::vec(not_null, 1..4).prop_map(|all| {
                // Unnamed types once each.
                let mut tags = std::collections::HashSet::new();
                let named =
                    |m: &Model| matches!(m, Model::Enum | Model::Fixed(_) | Model::Record(_));
                let keep = all.into_iter().filter(|m| named(m) || tags.insert(m.tag(0)));
                Model::Union(keep.collect())
            }),
        ]
    })
}

/// What a value is made from: an endless supply of small numbers.
struct Dice<'a>(std::iter::Cycle<std::iter::Copied<std::slice::Iter<'a, u8>>>);

impl Dice<'_> {
    fn roll(&mut self, sides: usize) -> usize {
        usize::from(self.0.next().unwrap_or(0)) % sides
    }
}

impl Model {
    /// The schema; `at` makes the names of types distinct.
    fn schema(&self, at: usize) -> Json {
        let name = format!("T{at}");
        match self {
            Self::Primitive(name) => json!(name),
            Self::Enum => json!({"type": "enum", "name": name, "symbols": ["RED", "BLUE"]}),
            Self::Fixed(size) => json!({"type": "fixed", "name": name, "size": size}),
            Self::Array(of) => json!({"type": "array", "items": of.schema(at * 5)}),
            Self::Map(of) => json!({"type": "map", "values": of.schema(at * 5)}),
            Self::Record(fields) => {
                let fields = fields.iter().enumerate().map(|(i, (of, default))| {
                    let schema = of.schema(at * 5 + i);
                    match default {
                        true => json!({"name": format!("f{i}"), "type": schema, "default": of.sample(&mut Dice([0].iter().copied().cycle()), at * 5 + i)}),
                        false => json!({"name": format!("f{i}"), "type": schema}),
                    }
                });
                json!({"type": "record", "name": name, "namespace": "ns", "fields": fields.collect::<Vec<_>>()})
            }
            Self::Nullable(of) => json!(["null", of.schema(at * 5)]),
            Self::Union(all) => all.iter().enumerate().map(|(i, m)| m.schema(at * 5 + i)).collect(),
        }
    }

    fn tag(&self, at: usize) -> String {
        match self {
            Self::Primitive(name) => (*name).to_owned(),
            // Types inside a record are in its namespace, which these do not know: the short name will do.
            Self::Enum | Self::Fixed(_) | Self::Record(_) => format!("T{at}"),
            Self::Array(_) => "array".to_owned(),
            Self::Map(_) => "map".to_owned(),
            Self::Nullable(_) | Self::Union(_) => "union".to_owned(),
        }
    }

    /// A value of the type.
    fn sample(&self, dice: &mut Dice<'_>, at: usize) -> Json {
        match self {
            Self::Primitive("null") => Json::Null,
            Self::Primitive("boolean") => json!(dice.roll(2) == 0),
            Self::Primitive("int") => json!([0, -1, i32::MAX, i32::MIN][dice.roll(4)]),
            Self::Primitive("long") => json!([0, -1, i64::MAX, i64::MIN][dice.roll(4)]),
            Self::Primitive("float" | "double") => json!([0.0, 1.5, -2e9, 7.0][dice.roll(4)]),
            Self::Primitive("bytes") => json!(["", "\u{FF}", "a\u{0}"][dice.roll(3)]),
            Self::Primitive(_) => json!(["", "x", "é€\n\"", "\u{1F600}"][dice.roll(4)]),
            Self::Enum => json!(["RED", "BLUE"][dice.roll(2)]),
            Self::Fixed(size) => json!("\u{FE}".repeat(*size)),
            Self::Array(of) => (0..dice.roll(3)).map(|_| of.sample(dice, at * 5)).collect(),
            Self::Map(of) => {
                (0..dice.roll(3)).map(|i| (format!("k{i}"), of.sample(dice, at * 5))).collect()
            }
            Self::Record(fields) => {
                let mut map = Map::new();
                for (i, (of, default)) in fields.iter().enumerate() {
                    let optional = *default || of.is_nullable();
                    if !(optional && dice.roll(3) == 0) {
                        map.insert(format!("f{i}"), of.sample(dice, at * 5 + i));
                    }
                }
                Json::Object(map)
            }
            Self::Nullable(of) => match dice.roll(3) {
                0 => Json::Null,
                1 => json!({of.tag(at * 5): of.sample(dice, at * 5)}),
                _ => of.plain_or_tagged(dice, at * 5, false),
            },
            Self::Union(all) => {
                let i = dice.roll(all.len());
                let alike = all.iter().filter(|m| m.kind() == all[i].kind()).count() > 1;
                all[i].plain_or_tagged(dice, at * 5 + i, alike)
            }
        }
    }

    /// What can only be told by its tag is tagged.
    fn plain_or_tagged(&self, dice: &mut Dice<'_>, at: usize, ambiguous: bool) -> Json {
        let value = self.sample(dice, at);
        match ambiguous || dice.roll(2) == 0 {
            true => json!({self.tag(at): value}),
            false => value,
        }
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Primitive("null") => 0,
            Self::Primitive("boolean") => 1,
            Self::Primitive("int" | "long" | "float" | "double") => 2,
            Self::Primitive(_) | Self::Enum | Self::Fixed(_) => 3,
            Self::Array(_) => 4,
            Self::Map(_) | Self::Record(_) => 5,
            Self::Nullable(_) | Self::Union(_) => 6,
        }
    }

    fn is_nullable(&self) -> bool {
        matches!(self, Self::Nullable(_) | Self::Primitive("null"))
    }

    /// All values inside `value` that are not of a union, with the path and the pointer of each.
    fn places(
        &self,
        value: &Json,
        path: &str,
        pointer: &str,
        out: &mut Vec<(Self, String, String)>,
    ) {
        match (self, value) {
            (Self::Nullable(of), _) if !value.is_null() && !is_tagged(value) => {
                return of.places(value, path, pointer, out);
            }
            (Self::Nullable(_) | Self::Union(_), _) => return,
            (Self::Array(of), Json::Array(items)) => {
                for (i, item) in items.iter().enumerate() {
                    of.places(item, &format!("{path}[{i}]"), &format!("{pointer}/{i}"), out);
                }
            }
            (Self::Map(of), Json::Object(map)) => {
                for (key, item) in map {
                    of.places(item, &format!("{path}.{key}"), &format!("{pointer}/{key}"), out);
                }
            }
            (Self::Record(fields), Json::Object(map)) => {
                for (key, item) in map {
                    let field: usize = key[1..].parse().expect("a number");
                    fields[field].0.places(
                        item,
                        &format!("{path}.{key}"),
                        &format!("{pointer}/{key}"),
                        out,
                    );
                }
            }
            _ => {}
        }
        out.push((self.clone(), path.to_owned(), pointer.to_owned()));
    }

    /// Makes a valid value wrong.
    fn spoil(&self, value: &mut Json, dice: &mut Dice<'_>) {
        if let (Self::Record(fields), Json::Object(map)) = (self, &mut *value) {
            let needed = (0..fields.len()).find(|i| !fields[*i].1 && !fields[*i].0.is_nullable());
            match (dice.roll(3), needed) {
                (0, Some(field)) if !matches!(fields[field].0, Self::Union(_)) => {
                    map.remove(&format!("f{field}"));
                    return;
                }
                (1, _) => {
                    map.insert("other".to_owned(), Json::Null);
                    return;
                }
                _ => {}
            }
        }
        *value = match (self, dice.roll(2)) {
            (Self::Primitive("int"), 0) => json!(i64::from(i32::MAX) + 1),
            (Self::Primitive("int" | "long"), _) => json!(1.5),
            (Self::Primitive("bytes"), 0) => json!("€"),
            (Self::Enum, 0) => json!("red"),
            (Self::Fixed(size), 0) => json!("x".repeat(size + 1)),
            (Self::Primitive("boolean"), _) => json!(0),
            _ => json!(true),
        };
    }
}

/// Whether a value has a lone key that is none of those that samples have.
fn is_tagged(value: &Json) -> bool {
    let own = |key: &String| key.starts_with(['f', 'k']) && key.len() == 2;
    value.as_object().is_some_and(|map| map.len() == 1 && !map.keys().all(own))
}

proptest! {
    #[test]
    fn values_of_a_schema_are_accepted(model in models(), dice in prop::collection::vec(any::<u8>(), 1..40)) {
        let value = model.sample(&mut Dice(dice.iter().copied().cycle()), 1);
        let found = faults(&model.schema(1).to_string(), &value.to_string(), Mode::Strict);
        prop_assert!(found.is_empty(), "{found:#?}\n{}\n{value}", model.schema(1));
    }

    #[test]
    fn a_single_fault_is_reported_where_it_is(
        // A list, so that there is a place even where all else is a union.
        model in models().prop_map(|model| Model::Array(Box::new(model))),
        dice in prop::collection::vec(any::<u8>(), 1..40),
    ) {
        let mut dice = Dice(dice.iter().copied().cycle());
        let mut value = model.sample(&mut dice, 1);
        let mut places = Vec::new();
        model.places(&value, "data", "", &mut places);
        let (of, path, pointer) = places.swap_remove(dice.roll(places.len()));
        of.spoil(value.pointer_mut(&pointer).expect("it is there"), &mut dice);
        let found = faults(&model.schema(1).to_string(), &value.to_string(), Mode::Strict);
        prop_assert!(!found.is_empty(), "{path}\n{}\n{value}", model.schema(1));
        let quoted = format!("`{path}`");
        prop_assert!(found.iter().all(|f| f.contains(&quoted)), "{found:#?}\n{path}\n{}\n{value}", model.schema(1));
    }
}

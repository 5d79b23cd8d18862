//! The texts of a scenario, interned at load: at run time a text is the number of its symbol. Names generated while
//! running are no symbols; they are recognised by their bits and rendered here from the prefix of their generator.

use std::collections::BTreeMap;

use super::heap::Heap;
use super::value::{NULL, Type, Word, as_generated, show_duration};

/// The interned texts and the prefixes of generated names. It grows at load and is read-only while running.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Symbols {
    texts: Vec<String>,
    index: BTreeMap<String, u32>,
    generators: Vec<String>,
}

impl Symbols {
    /// No symbols yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The word of a text; the same text always gets the same word.
    pub fn intern(&mut self, text: &str) -> Word {
        if let Some(&id) = self.index.get(text) {
            return Word::from(id);
        }
        let id = self.texts.len() as u32;
        self.texts.push(text.to_owned());
        self.index.insert(text.to_owned(), id);
        Word::from(id)
    }

    /// The word of a text that was interned before.
    pub fn find(&self, text: &str) -> Option<Word> {
        self.index.get(text).map(|&id| Word::from(id))
    }

    /// Registers a generator of names and returns its number. Names look like `order-0.3`: prefix, client, intent.
    /// Two generators with the same prefix are two generators. More than 2^14 share the last number.
    pub fn add_generator(&mut self, prefix: &str) -> u16 {
        if self.generators.len() >= 1 << 14 {
            return (1 << 14) - 1;
        }
        self.generators.push(prefix.to_owned());
        (self.generators.len() - 1) as u16
    }

    /// Whether a text looks like a name that one of the generators makes, and so like a value that it is not equal to.
    pub fn looks_generated(&self, text: &str) -> bool {
        let number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let Some((prefix, numbers)) = text.rsplit_once('-') else { return false };
        numbers.split_once('.').is_some_and(|(client, intent)| number(client) && number(intent))
            && self.generators.iter().any(|generator| generator == prefix)
    }

    /// The text behind a word, without quotes; `null` for null, and `?` with the word if it is no text at all.
    pub fn text(&self, word: Word) -> String {
        if word == NULL {
            return "null".into();
        }
        if let Some(name) = as_generated(word) {
            let prefix = self.generators.get(name.generator as usize).map_or("?", String::as_str);
            return format!("{prefix}-{}.{}", name.client, name.intent);
        }
        let symbol = usize::try_from(word).ok().and_then(|id| self.texts.get(id));
        symbol.cloned().unwrap_or_else(|| format!("?{word}"))
    }

    /// A value as an expression would write it: `'open'`, `12`, `true`, `null`, `[1, 2]`, `{mail: 'new'}`, `1.5ms`. A
    /// generated name has no quotes, as no expression can write it: `order-1.2` is not equal to any text.
    pub fn show(&self, word: Word, ty: &Type, heap: &Heap) -> String {
        if word == NULL {
            return "null".into();
        }
        match ty {
            Type::Int | Type::Null => word.to_string(),
            Type::Bool => (word != 0).to_string(),
            Type::Text if as_generated(word).is_some() => self.text(word),
            Type::Text => format!("'{}'", self.text(word).replace('\\', "\\\\").replace('\'', "\\'")),
            Type::Instant | Type::Duration => show_duration(word),
            Type::List(of) => {
                let items: Vec<String> =
                    heap.get(word).iter().map(|&item| self.show(item, of, heap)).collect();
                format!("[{}]", items.join(", "))
            }
            Type::Record(fields) => {
                let shown = fields.iter().zip(heap.get(word));
                let shown: Vec<String> = shown
                    .map(|((name, ty), &item)| format!("{name}: {}", self.show(item, ty, heap)))
                    .collect();
                format!("{{{}}}", shown.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::value::generated;
    use super::*;

    #[test]
    fn a_text_keeps_its_word() {
        let mut symbols = Symbols::new();
        let open = symbols.intern("open");
        let shut = symbols.intern("shut");
        assert_ne!(open, shut);
        assert_eq!(symbols.intern("open"), open);
        assert_eq!(symbols.find("shut"), Some(shut));
        assert_eq!(symbols.find("ajar"), None);
        assert_eq!(symbols.text(shut), "shut");
    }

    #[test]
    fn a_generated_name_shows_prefix_client_and_intent() {
        let mut symbols = Symbols::new();
        let orders = symbols.add_generator("order");
        assert_eq!(symbols.text(generated(orders, 0, 3)), "order-0.3");
        assert_eq!(symbols.text(generated(orders + 1, 0, 3)), "?-0.3");
    }

    #[test]
    fn values_are_shown_as_expressions_write_them() {
        let mut symbols = Symbols::new();
        let mut heap = Heap::new();
        let text = symbols.intern("it's");
        let list = heap.tuple(&[text, NULL]);
        let record = heap.tuple(&[list, 1, 2_000_000]);
        let ty = Type::Record(vec![
            ("who".into(), Type::List(Box::new(Type::Text))),
            ("done".into(), Type::Bool),
            ("after".into(), Type::Duration),
        ]);
        assert_eq!(symbols.show(record, &ty, &heap), r"{who: ['it\'s', null], done: true, after: 2ms}");
        assert_eq!(symbols.text(77), "?77");
    }
}

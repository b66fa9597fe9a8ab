//! Writing elements one in another.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use std::io;

/// A document that is being written.
pub(super) struct Xml(Writer<Vec<u8>>);

const ROOT: &str = "Document";

impl Xml {
    pub fn new(namespace: &str) -> io::Result<Self> {
        let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
        writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let mut root = BytesStart::new(ROOT);
        root.push_attribute(("xmlns", namespace));
        writer.write_event(Event::Start(root))?;
        Ok(Xml(writer))
    }

    /// An element with what `inner` writes in it.
    pub fn element(&mut self, name: &str, inner: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<()> {
        self.0.write_event(Event::Start(BytesStart::new(name)))?;
        inner(self)?;
        self.0.write_event(Event::End(BytesEnd::new(name)))
    }

    /// An element with a text, which is escaped.
    pub fn text(&mut self, name: &str, text: &str) -> io::Result<()> {
        self.content(BytesStart::new(name), name, text)
    }

    pub fn text_with(&mut self, name: &str, attribute: (&str, &str), text: &str) -> io::Result<()> {
        let mut start = BytesStart::new(name);
        start.push_attribute(attribute);
        self.content(start, name, text)
    }

    fn content(&mut self, start: BytesStart<'_>, name: &str, text: &str) -> io::Result<()> {
        self.0.write_event(Event::Start(start))?;
        self.0.write_event(Event::Text(BytesText::new(text)))?;
        self.0.write_event(Event::End(BytesEnd::new(name)))
    }

    pub fn end(mut self) -> io::Result<String> {
        self.0.write_event(Event::End(BytesEnd::new(ROOT)))?;
        String::from_utf8(self.0.into_inner()).map_err(io::Error::other)
    }
}

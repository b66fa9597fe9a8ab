use service_kit::exchange::Fields;
use uuid::Uuid;

/// A reference by id, or in words.
pub enum Named {
    Id(Uuid),
    Word(String),
}

impl Named {
    /// Reads it from the column with the id or, if that is not there or empty, from the other.
    pub fn read(fields: &mut Fields<'_>, id: &str, word: &str, longest: usize) -> Option<Named> {
        let faults = fields.faults();
        if let Some(Some(id)) = fields.optional(id) {
            return Some(Named::Id(id));
        }
        let name = fields.optional_code(word, longest).flatten();
        if name.is_none() && fields.faults() == faults {
            fields.fault(word, "required", format!("one of {word} and {id} is needed"));
        }
        name.map(Named::Word)
    }

    pub fn word(&self) -> Option<&str> {
        match self {
            Named::Id(_) => None,
            Named::Word(word) => Some(word),
        }
    }

    pub fn id(&self) -> Option<Uuid> {
        match self {
            Named::Id(id) => Some(*id),
            Named::Word(_) => None,
        }
    }

    pub fn text(&self) -> String {
        match self {
            Named::Id(id) => id.to_string(),
            Named::Word(word) => word.clone(),
        }
    }
}

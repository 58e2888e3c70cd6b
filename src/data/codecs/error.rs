//! What can be wrong with a codec chain, and with a chunk.

/// A codec chain that cannot be decoded here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// Contradicts itself, or exceeds a limit.
    #[error("{field}: {reason}")]
    Wrong {
        /// Which part of the metadata.
        field: String,
        /// What is wrong.
        reason: String,
    },
    /// Well-formed, but not decoded by this program.
    #[error("{field}: not supported: {reason}")]
    Unsupported {
        /// Which part of the metadata.
        field: String,
        /// What is not supported, by name.
        reason: String,
    },
}

impl ChainError {
    pub(super) fn wrong(field: &str, reason: impl Into<String>) -> Self {
        Self::Wrong { field: field.into(), reason: reason.into() }
    }

    pub(super) fn unsupported(field: &str, reason: impl Into<String>) -> Self {
        Self::Unsupported { field: field.into(), reason: reason.into() }
    }
}

/// A chunk that is not what the metadata promises.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// More encoded bytes than a chunk of this array can have.
    #[error("{len} encoded bytes where at most {most} belong")]
    TooLong {
        /// Bytes there are.
        len: usize,
        /// The most there can be.
        most: usize,
    },
    /// A header that claims more than the chunk's size.
    #[error("{codec}: claims {claimed} decoded bytes where at most {most} belong")]
    Claims {
        /// The codec.
        codec: &'static str,
        /// What the header says.
        claimed: u64,
        /// The most there can be.
        most: usize,
    },
    /// Decodes to more than belongs there; decoding stopped at the bound.
    #[error("{codec}: decodes to more than the {most} bytes that belong")]
    Inflates {
        /// The codec.
        codec: &'static str,
        /// The bound.
        most: usize,
    },
    /// Decodes to another size.
    #[error("{codec}: decodes to {got} bytes where {want} belong")]
    Size {
        /// The codec.
        codec: &'static str,
        /// Bytes there are.
        got: usize,
        /// Bytes there should be.
        want: usize,
    },
    /// Not what the codec writes, or damaged.
    #[error("{codec}: {reason}")]
    Corrupt {
        /// The codec.
        codec: &'static str,
        /// What is wrong.
        reason: String,
    },
}

impl DecodeError {
    pub(super) fn corrupt(codec: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Corrupt { codec, reason: reason.to_string() }
    }
}

"""What people may type for a query, as hypothesis draws it."""

from hypothesis import strategies as st

_PIECES = st.sampled_from(
    [*' ()"-:.@<>=\0\ud800', "OR", "AND", "NOT", "fox", "split:train", "len>5", "has:", "score:>0.5", "é", "你好", "\n"]
)
TYPED = (
    st.text(max_size=30) | st.lists(_PIECES, max_size=25).map("".join) | st.lists(_PIECES, max_size=15).map(" ".join)
)

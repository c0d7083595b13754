package cli

import (
	"encoding/json"
	"io"
)

// writeJSON writes v indented, with a newline at its end.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

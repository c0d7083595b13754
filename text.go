package lessee

import (
	"encoding/json"
	"fmt"
	"time"
)

// Args are the arguments of a text for people: of an [Error]'s Detail or Hint.
// Each is of one of the types below, so that a program can show the text in
// another language, and times in the reader's zone.
//
//	string         "eth0"
//	int64          300
//	time.Duration  {"duration": "20s"}
//	time.Time      {"time": "2026-01-02T15:04:05Z"}
//
// The right column is the form in JSON.
type Args []any

// spoken returns the arguments as English texts have them.
func (a Args) spoken() []any {
	out := make([]any, len(a))
	for i, v := range a {
		if t, ok := v.(time.Time); ok {
			v = t.Format(time.TimeOnly)
		}
		out[i] = v
	}
	return out
}

// MarshalJSON writes the arguments as an array.
func (a Args) MarshalJSON() ([]byte, error) {
	out := make([]any, len(a))
	for i, v := range a {
		switch v := v.(type) {
		case string, int64:
			out[i] = v
		case time.Duration:
			out[i] = map[string]string{"duration": v.String()}
		case time.Time:
			out[i] = map[string]time.Time{"time": v}
		default:
			return nil, fmt.Errorf("lessee: an argument of type %T has no form in JSON", v)
		}
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads an array of arguments. It leaves out none: an argument of
// a form that is not known becomes its JSON as a string.
func (a *Args) UnmarshalJSON(data []byte) error {
	var raw []json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	out := make(Args, len(raw))
	for i, r := range raw {
		out[i] = unmarshalArg(r)
	}
	*a = out
	return nil
}

func unmarshalArg(r json.RawMessage) any {
	var s string
	if json.Unmarshal(r, &s) == nil {
		return s
	}
	var n int64
	if json.Unmarshal(r, &n) == nil {
		return n
	}
	var o struct {
		Duration *string    `json:"duration"`
		Time     *time.Time `json:"time"`
	}
	if json.Unmarshal(r, &o) == nil {
		switch {
		case o.Duration != nil:
			if d, err := time.ParseDuration(*o.Duration); err == nil {
				return d
			}
		case o.Time != nil:
			return *o.Time
		}
	}
	return string(r)
}

// argument turns a value into one of the types that [Args] may have.
func argument(v any) any {
	switch v := v.(type) {
	case string, int64, time.Duration, time.Time:
		return v
	case int:
		return int64(v)
	case uint32:
		return int64(v)
	}
	return fmt.Sprint(v)
}

func arguments(args []any) Args {
	out := make(Args, len(args))
	for i, v := range args {
		out[i] = argument(v)
	}
	return out
}

// SetDetail sets Detail to a text, and DetailFormat and DetailArgs to what it was
// made of, as [fmt.Sprintf] takes it. A text without arguments is its own format,
// and leaves both empty. It returns e.
func (e *Error) SetDetail(format string, args ...any) *Error {
	e.Detail, e.DetailFormat, e.DetailArgs = compose(format, args)
	return e
}

// SetHint sets Hint, HintFormat and HintArgs like [Error.SetDetail]. It returns e.
func (e *Error) SetHint(format string, args ...any) *Error {
	e.Hint, e.HintFormat, e.HintArgs = compose(format, args)
	return e
}

func compose(format string, args []any) (text, keptFormat string, kept Args) {
	if len(args) == 0 {
		return format, "", nil
	}
	kept = arguments(args)
	return fmt.Sprintf(format, kept.spoken()...), format, kept
}

package cli

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/text/language"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/internal/text"
	"github.com/lessee/lessee/reason"
)

// errReported says that the command has failed and has said so itself.
var errReported = errors.New("failed, and reported")

// A sentence is an error of the command line's own: a text of the catalog.
type sentence struct {
	key  string
	args []any
}

func sentencef(key string, args ...any) error { return &sentence{key, args} }

// Error is for programmers; users read [speaker.errorText].
func (e *sentence) Error() string {
	return speaker{text.For(language.English), time.Now}.sentence(e)
}

// Unwrap returns the errors among the arguments.
func (e *sentence) Unwrap() []error {
	var list []error
	for _, a := range e.args {
		if err, ok := a.(error); ok {
			list = append(list, err)
		}
	}
	return list
}

// A usageError says that the arguments make no sense.
type usageError struct{ sentence }

func usagef(key string, args ...any) error { return &usageError{sentence{key, args}} }

func (s speaker) sentence(e *sentence) string {
	args := make([]any, len(e.args))
	for i, a := range e.args {
		switch v := a.(type) {
		case error:
			a = s.errorText(v)
		case alternatives:
			a = strings.Join(v, s.Text("alternative|' or '"))
		}
		args[i] = a
	}
	return s.Sprintf(e.key, args...)
}

// errorText puts an error into the user's words.
func (s speaker) errorText(err error) string {
	switch e := err.(type) { //nolint:errorlint // What is around another error has words of its own.
	case *usageError:
		return s.sentence(&e.sentence)
	case *sentence:
		return s.sentence(e)
	case *lessee.Error:
		return s.lesseeError(e)
	case *pflag.NotExistError:
		if short := e.GetSpecifiedShortnames(); short != "" {
			return s.Sprintf("unknown shorthand flag: %q in -%s", e.GetSpecifiedName()[:1], short)
		}
		return s.Sprintf("unknown flag: --%s", e.GetSpecifiedName())
	case *pflag.ValueRequiredError:
		if short := e.GetSpecifiedShortnames(); short != "" {
			return s.Sprintf("flag needs an argument: %q in -%s", e.GetSpecifiedName()[:1], short)
		}
		return s.Sprintf("flag needs an argument: --%s", e.GetSpecifiedName())
	case *pflag.InvalidValueError:
		flag := e.GetFlag()
		name := "--" + flag.Name
		if flag.Shorthand != "" {
			name = "-" + flag.Shorthand + ", " + name
		}
		return s.Sprintf("invalid argument %q for %q flag: %s", e.GetValue(), name, s.errorText(e.Unwrap()))
	case *pflag.InvalidSyntaxError:
		return s.Sprintf("bad flag syntax: %s", e.GetSpecifiedFlag())
	}
	return s.Error(err)
}

// lesseeError is [lessee.Error.Error] in the user's words.
func (s speaker) lesseeError(e *lessee.Error) string {
	var b strings.Builder
	for _, part := range [...]string{e.Adapter, e.Op} {
		if part != "" {
			b.WriteString(part + ": ")
		}
	}
	detail, hint := s.cause(e)
	if detail != "" {
		b.WriteString(detail)
	} else {
		text, _ := text.System(uint32(e.Code), s.Tag())
		b.WriteString(text)
	}
	number := strconv.FormatUint(uint64(e.Code), 10)
	b.WriteString(" (")
	if name := e.Code.Name(); name != number {
		b.WriteString(name + " ")
	}
	b.WriteString(number + ")")
	if hint != "" {
		return s.Sprintf("%s; %s", b.String(), hint)
	}
	return b.String()
}

// cause puts the cause of an error into the user's words, or into the daemon's
// where its reason is not known here.
func (s speaker) cause(e *lessee.Error) (detail, hint string) {
	if detail, hint, known := s.Cause(&e.Cause, e.Adapter, s.now()); known {
		return detail, hint
	}
	return e.Detail(), e.Hint()
}

// hindrance puts what hinders an adapter into the user's words: english is the
// daemon's, for what is not known here.
func (s speaker) hindrance(c *reason.Cause, adapter, english string) string {
	if c == nil {
		return english
	}
	if detail, _, known := s.Cause(c, adapter, s.now()); known {
		return detail
	}
	return english
}

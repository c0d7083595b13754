//go:build linux

package control

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/option"
	"github.com/lessee/lessee/names"
)

// template describes the API, with places for what tables declare.
//
//go:embed openapi.yaml
var template string

// The places in the template.
const (
	eventsHere  = "[EVENTS]"
	optionsHere = "        # OPTIONS: those that are addresses, names and URLs\n"
)

// openAPI returns the description of the API.
var openAPI = sync.OnceValue(func() []byte {
	return []byte(strings.NewReplacer(
		eventsHere, "["+strings.Join(eventKinds(), ", ")+"]",
		optionsHere, optionFields(),
	).Replace(template))
})

// eventKinds lists the kinds of events in the stream.
func eventKinds() []string {
	var kinds []string
	for _, row := range event.All() {
		if row.Stream != "" && !slices.Contains(kinds, row.Stream) {
			kinds = append(kinds, row.Stream)
		}
	}
	return kinds
}

// optionFields describes the fields for options that a lease only hands on.
func optionFields() string {
	var b strings.Builder
	for _, row := range option.All() {
		switch {
		case row.AddrsField != nil:
			fmt.Fprintf(&b, "        %s:\n          type: array\n          description: '%s'\n          items: {$ref: '#/components/schemas/Address'}\n", row.JSON, row.Doc)
		case row.TextField != nil:
			form := ""
			if _, is := row.TextField(&option.Texts{}).(*names.URL); is {
				form = "format: uri, "
			}
			fmt.Fprintf(&b, "        %s: {type: string, %sdescription: '%s'}\n", row.JSON, form, row.Doc)
		}
	}
	return b.String()
}

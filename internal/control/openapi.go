//go:build linux

package control

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"github.com/lessee/lessee/internal/event"
)

// template describes the API, with places for what tables declare.
//
//go:embed openapi.yaml
var template string

// openAPI returns the description of the API.
var openAPI = sync.OnceValue(func() []byte {
	return []byte(strings.NewReplacer("[EVENTS]", "["+strings.Join(eventKinds(), ", ")+"]").Replace(template))
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

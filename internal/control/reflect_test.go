//go:build linux

package control

import (
	"reflect"
	"strings"
)

// jsonFields lists the names that the fields of a struct have in JSON.
func jsonFields(v any) []string {
	var names []string
	for f := range reflect.TypeOf(v).Fields() {
		if f.Anonymous {
			names = append(names, jsonFields(reflect.Zero(f.Type).Interface())...)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}

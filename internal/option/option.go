package option

import (
	"encoding"
	"iter"
	"net/netip"
)

// A Row is what there is to know of an option.
type Row struct {
	// Name is the option's, such as "lease time"; "" if it has none.
	Name string
	// Use says who reads the option in a server's message.
	Use Use
	// JSON is the field of ipv4 in the API, "" if there is none; several options
	// may share an object. Label is the field's in 'lessee show', in English.
	JSON, Label string
	// Record is the field in the record of a lease; "" if it is not stored.
	Record string

	// What follows is of an option that a lease only hands on and whose value is
	// of a usual type. One of the functions is set then: it returns the option's
	// field, which has the tag `json:"JSON"`. Doc describes the value in the
	// OpenAPI file.
	Doc        string
	AddrsField func(*Servers) *[]netip.Addr
	TextField  func(*Texts) Text
}

// A Text is a field for a text that is checked when it is set: a pointer to a
// type of package names.
type Text interface {
	encoding.TextUnmarshaler
	// String returns the text; "" for none.
	String() string
	IsZero() bool
}

// A Use says who reads an option.
type Use uint8

// The uses.
const (
	Unread   Use = iota // nobody: the API and the record have its bytes
	Client              // the protocol's client, or who configures the adapter
	HandedOn            // whoever asks for the lease: it is decoded and handed on
)

// Of returns the row of an option, the zero Row if the table has none.
func Of(code uint8) Row { return table[code] }

// Name returns the name of an option, "" if it has none.
func Name(code uint8) string { return table[code].Name }

// UseOf returns who reads an option.
func UseOf(code uint8) Use { return table[code].Use }

// All yields the options that the table has, in the order of their codes.
func All() iter.Seq2[uint8, Row] {
	return func(yield func(uint8, Row) bool) {
		for code := range table {
			if r := table[code]; r.Name != "" && !yield(uint8(code), r) {
				return
			}
		}
	}
}

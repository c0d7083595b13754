package event

import "iter"

// A Kind says what happened.
type Kind uint8

// The kinds of events. What else there is to say of one is in its row of the table.
const (
	Managed    Kind = iota + 1 // the adapter came under management
	Unmanaged                  // it is not managed any more
	Renamed                    // it has another name
	Removed                    // it does not exist any more
	Carrier                    // its link came up
	NoCarrier                  // its link went down
	State                      // the client moved to another state
	IPv6Only                   // the client moved to the state of a network that prefers to be used without IPv4 (RFC 8925)
	Sent                       // Message was sent, to Server or to all
	Received                   // Message arrived from Server at Link
	Rejected                   // a datagram was not used: Why
	Bound                      // a lease of Address was obtained from Server
	Resumed                    // the lease of Address continues from an earlier life
	Renewed                    // the lease of Address was extended
	Released                   // the lease of Address was given back
	Expired                    // the lease of Address ran out
	NAK                        // a server took the lease of Address away
	Conflict                   // the host at Link uses Address
	Defended                   // the host at Link claimed Address, and was told that it is ours
	Recognised                 // the network of a lease is back: the router Server answered
	LinkLocal                  // Address was taken without a server (RFC 3927)
	Informed                   // Server gave parameters for the adapter's own address
	TakenAway                  // another program took away what the kernel had: Detail is the cause, packed
	PutBack                    // it was put back
	Problem                    // something hinders: Detail is its cause, packed
	Lost                       // events are missing: a subscriber was too slow

	kinds // their number, plus one
)

// table has what there is to know of each kind of event. It is the one place that
// declares an event: API, log, journal and counters go by it.
var table = [kinds]Row{
	Managed:    {Name: "managed", Level: Unlogged, Text: "the adapter is managed", Stream: "managed", Fact: "managed", Counter: "event.managed", Tone: Good},
	Unmanaged:  {Name: "unmanaged", Level: Info, Text: "the adapter is not managed any more", Stream: "unmanaged", Tone: Attention},
	Renamed:    {Name: "renamed", Level: Info, Text: "the adapter was renamed", Stream: "renamed", Counter: "event.renamed", Tone: Attention},
	Removed:    {Name: "removed", Level: Info, Text: "the adapter was removed", Stream: "removed", Tone: Bad},
	Carrier:    {Name: "carrier", Level: Info, Text: "link is up", Stream: "carrier", Fact: "carrier", Counter: "event.carrier", Tone: Good},
	NoCarrier:  {Name: "no-carrier", Level: Info, Text: "link is down", Stream: "no-carrier", Fact: "no-carrier", Counter: "event.no-carrier", Tone: Attention},
	State:      {Name: "state", Level: Debug, Text: "state", Stream: "state", Tone: Minor},
	IPv6Only:   {Name: "ipv6-only", Level: Debug, Text: "state", Stream: "state", Fact: "without-ipv4", Counter: "event.ipv6-only", Tone: Minor},
	Sent:       {Name: "sent", Level: Debug, Text: "sent", Stream: "sent", Fact: "sent", Tone: Minor},
	Received:   {Name: "received", Level: Debug, Text: "received", Stream: "received", Fact: "received", Tone: Minor},
	Rejected:   {Name: "rejected", Level: Debug, Text: "packet not used", Stream: "rejected", Fact: "rejected", Tone: Minor},
	Bound:      {Name: "bound", Level: Info, Text: "lease obtained", Stream: "bound", Fact: "bound", Subject: OfLease, Counter: "event.bound", Tone: Good},
	Resumed:    {Name: "resumed", Level: Info, Text: "lease resumed", Stream: "bound", Fact: "resumed", Subject: OfLease, Counter: "event.resumed", Tone: Good},
	Renewed:    {Name: "renewed", Level: Info, Text: "lease renewed", Stream: "renewed", Fact: "renewed", Subject: OfLease, Counter: "event.renewed", Tone: Good},
	Released:   {Name: "released", Level: Info, Text: "lease released", Stream: "released", Fact: "released", Subject: OfLease, Counter: "event.released", Tone: Attention},
	Expired:    {Name: "expired", Level: Warn, Text: "lease expired", Stream: "expired", Fact: "expired", Subject: OfAddress, Counter: "event.expired", Tone: Bad},
	NAK:        {Name: "nak", Level: Warn, Text: "the server took the lease away", Stream: "nak", Fact: "lost", Subject: OfAddress, Counter: "event.nak", Tone: Bad},
	Conflict:   {Name: "conflict", Level: Warn, Text: "another host uses the address", Stream: "conflict", Fact: "conflict", Subject: OfAddress, Counter: "event.conflict", Tone: Bad},
	Defended:   {Name: "defended", Level: Warn, Text: "another host claimed the address, which was defended", Stream: "defended", Fact: "defended", Counter: "event.defended", Tone: Attention},
	Recognised: {Name: "recognised", Level: Info, Text: "the network is a known one", Stream: "recognised", Fact: "recognised", Subject: OfLease, Counter: "event.recognised", Tone: Good},
	LinkLocal:  {Name: "link-local", Level: Warn, Text: "no server answers: a link-local address is used", Stream: "link-local", Fact: "link-local", Counter: "event.link-local", Tone: Attention},
	Informed:   {Name: "informed", Level: Info, Text: "parameters obtained", Stream: "informed", Fact: "informed", Subject: OfLease, Counter: "event.informed", Tone: Good},
	TakenAway:  {Name: "taken-away", Level: Warn, Text: "another program took away what is ours", Stream: "problem", Fact: "problem", Counter: "event.taken-away", Tone: Bad},
	PutBack:    {Name: "put-back", Level: Info, Text: "what was taken away is put back", Stream: "problem", Fact: "problem", Counter: "event.put-back", Tone: Bad},
	Problem:    {Name: "problem", Level: Error, Text: "problem", Stream: "problem", Fact: "problem", Counter: "event.problem", Tone: Bad},
	Lost:       {Name: "lost", Level: Unlogged, Text: "events are missing", Stream: "lost", Tone: Attention},
}

// A Row is what there is to know of a kind of event.
type Row struct {
	// Name tells kinds apart.
	Name string
	// Level and Text are those of the log line: Text is constant, arguments are attributes.
	Level Level
	Text  string
	// Stream is the kind in the API's stream of events, a constant of package
	// lessee. Several kinds may look the same there; it is the name of one of them.
	Stream string
	// Fact is the code of the journal's entry in a story; "" if the journal
	// leaves the event out.
	Fact Code
	// Subject says what of the adapter's lease belongs to the fact.
	Subject Subject
	// Counter is the name in the adapter's counters; "" if a more detailed
	// counter has it (sent, received and rejected packets), or if the adapter
	// is not there to be asked.
	Counter string
	// Tone says what the event means for the person who reads it.
	Tone Tone
}

// A Level is that of a log line, with the numbers of package log/slog.
type Level int8

// The levels.
const (
	Debug Level = -4
	Info  Level = 0
	Warn  Level = 4
	Error Level = 8
	// Unlogged is the level of what has no line in the log.
	Unlogged Level = 127
)

// A Subject says what of a lease belongs to a fact.
type Subject uint8

// The subjects.
const (
	OfNothing Subject = iota // the fact is not about a lease
	OfAddress                // its address
	OfLease                  // its address and its server
)

// A Tone says what an event means for the person who reads it.
type Tone uint8

// The tones.
const (
	Minor     Tone = iota // a detail
	Good                  // all is well
	Attention             // worth a look
	Bad                   // something went wrong
)

// Row returns what there is to know of a kind; the zero Row of what is none.
func (k Kind) Row() Row {
	if k >= kinds {
		return Row{}
	}
	return table[k]
}

// String returns the kind's name.
func (k Kind) String() string { return k.Row().Name }

// All yields the kinds in the order of the table.
func All() iter.Seq2[Kind, Row] {
	return func(yield func(Kind, Row) bool) {
		for k := Kind(1); k < kinds; k++ {
			if !yield(k, table[k]) {
				return
			}
		}
	}
}

// Streamed returns the row of a kind in the API's stream; false if there is none:
// it may be a newer daemon's.
func Streamed(name string) (Row, bool) {
	for _, r := range All() {
		if r.Name == name && r.Stream == name {
			return r, true
		}
	}
	return Row{}, false
}

// A Tally counts events. The zero Tally has counted none. It is not safe for
// concurrent use.
type Tally [kinds]uint32

// Count counts an event.
func (t *Tally) Count(k Kind) {
	if k < kinds {
		t[k]++
	}
}

// All yields every counter by its name, those at zero too, in the order of the table.
func (t *Tally) All() iter.Seq2[string, uint64] {
	return func(yield func(string, uint64) bool) {
		for k, r := range All() {
			if r.Counter != "" && !yield(r.Counter, uint64(t[k])) {
				return
			}
		}
	}
}

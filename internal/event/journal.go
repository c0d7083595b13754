package event

import (
	"github.com/lessee/lessee/boottime"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// What a journal may take: 64 entries and 2 KiB while there is something to
// tell, 256 bytes once a lease is held and renewed.
const (
	MaxEntries = 64
	MaxSize    = 2048
	IdleSize   = 256
)

// growth is by how many bytes the buffer grows.
const growth = 64

// A Journal has what happened to one adapter lately. The zero Journal is empty.
// It is not safe for concurrent use.
type Journal struct{ buf []byte }

// Add adds e, which happened now; its First, Last and Count are not looked at.
// What is the same as before is counted, not written again. A kind of event that
// is no fact is left out.
func (j *Journal) Add(now boottime.Instant, e Entry) {
	if e.Kind.Row().Fact == "" {
		return
	}
	var space [headSize + 4 + 4 + 1 + maxLink + 4 + maxDetail]byte
	r := raw(appendEntry(space[:0], now, e))
	if e.Kind == Renewed {
		j.dropRenewal()
	}
	if at, ok := j.find(r); ok {
		raw(j.buf[at : at+int(j.buf[at])]).again(r)
	} else {
		j.makeRoom(len(r))
		j.buf = append(j.buf, r...)
	}
	if e.Kind == Renewed {
		j.shrink()
	}
}

// find returns where the entry is that r repeats. Packets that were not used,
// and problems, come in between others and are counted wherever they are; the
// others only where nothing else happened since.
func (j *Journal) find(r raw) (int, bool) {
	anywhere := aside(r.kind())
	found, ok := 0, false
	for at := 0; at < len(j.buf); at += int(j.buf[at]) {
		have := raw(j.buf[at : at+int(j.buf[at])])
		switch {
		case have.same(r):
			found, ok = at, true
		case !anywhere && !aside(have.kind()):
			ok = false
		}
	}
	return found, ok
}

// aside reports whether entries of that kind come in between others.
func aside(k Kind) bool { return k == Rejected || k == Problem || k == TakenAway || k == PutBack }

// dropRenewal takes the messages of a renewal away if all before it was another
// renewal, so that the two become one entry: an undisturbed lease has a short
// journal.
func (j *Journal) dropRenewal() {
	var starts []int
	for at := 0; at < len(j.buf); at += int(j.buf[at]) {
		starts = append(starts, at)
	}
	n := len(starts)
	if n < 3 {
		return
	}
	three := [3]Entry{}
	for i := range three {
		at := starts[n-3+i]
		three[i] = raw(j.buf[at : at+int(j.buf[at])]).entry()
	}
	if three[0].Kind == Renewed && three[1].Kind == Sent && three[1].Message == wire.Request && three[1].Count == 1 &&
		three[2].Kind == Received && three[2].Message == wire.ACK && three[2].Count == 1 {
		j.buf = j.buf[:starts[n-2]]
	}
}

// makeRoom lets the oldest entries go until n more bytes may be added.
func (j *Journal) makeRoom(n int) {
	count := 0
	for at := 0; at < len(j.buf); at += int(j.buf[at]) {
		count++
	}
	drop := 0
	for ; count >= MaxEntries || len(j.buf)-drop+n > MaxSize; count-- {
		drop += int(j.buf[drop])
	}
	if drop > 0 {
		j.buf = append(j.buf[:0], j.buf[drop:]...)
	}
	if need := len(j.buf) + n; need > cap(j.buf) {
		grown := make([]byte, len(j.buf), (need+growth-1)/growth*growth)
		copy(grown, j.buf)
		j.buf = grown
	}
}

// shrink keeps what an idle lease may have.
func (j *Journal) shrink() {
	if cap(j.buf) <= IdleSize {
		return
	}
	drop := 0
	for len(j.buf)-drop > IdleSize {
		drop += int(j.buf[drop])
	}
	j.buf = append(make([]byte, 0, IdleSize), j.buf[drop:]...)
}

// Entries returns what is there, the oldest first.
func (j *Journal) Entries() []Entry {
	var all []Entry
	for at := 0; at < len(j.buf); at += int(j.buf[at]) {
		all = append(all, raw(j.buf[at:at+int(j.buf[at])]).entry())
	}
	return all
}

// Clone returns a copy that later entries do not change.
func (j *Journal) Clone() Journal { return Journal{append([]byte(nil), j.buf...)} }

// Size returns how many bytes of memory the entries take.
func (j *Journal) Size() int { return cap(j.buf) }

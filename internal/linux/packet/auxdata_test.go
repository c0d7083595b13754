//go:build linux

package packet

import "testing"

func FuzzParseAuxdata(f *testing.F) {
	f.Add(make([]byte, sizeofAuxdata))
	f.Fuzz(func(_ *testing.T, b []byte) { parseAuxdata(b) })
}

package leases

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"
)

// version is the version of the files that are written. A change that an older
// program would misread increments it.
const version = 2

// A sealed is a file's contents: a record and what shows that it is whole.
type sealed struct {
	Version int `json:"version"`
	// CRC32C is the checksum of Record's bytes (RFC 3720 appendix B.4), 8
	// hexadecimal digits.
	CRC32C string          `json:"crc32c"`
	Record json.RawMessage `json:"record"`
}

// castagnoli makes its table when it is first needed.
var castagnoli = sync.OnceValue(func() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) })

func checksum(b []byte) string { return fmt.Sprintf("%08x", crc32.Checksum(b, castagnoli())) }

// seal returns the text of a file.
func seal(f record) ([]byte, error) {
	b, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("encode the record: %w", err)
	}
	text := make([]byte, 0, len(b)+64)
	text = fmt.Appendf(text, `{"version":%d,"crc32c":"%s","record":`, version, checksum(b))
	text = append(text, b...)
	return append(text, "}\n"...), nil
}

var (
	errNewer    = errors.New("it was written by a newer version of the program")
	errOlder    = errors.New("it was written by an older version of the program")
	errChecksum = errors.New("its checksum is wrong: it was cut short or changed")
	errTrailing = errors.New("there is something after its end")
)

// parse reads a file's text and checks it.
func parse(b []byte) (record, error) {
	var s sealed
	if err := decodeOne(b, &s); err != nil {
		return record{}, err
	}
	switch {
	case s.Version < 1:
		return record{}, invalid("version")
	case s.Version > version:
		return record{}, fmt.Errorf("version %d: %w", s.Version, errNewer)
	case s.Version < version:
		return record{}, fmt.Errorf("version %d: %w", s.Version, errOlder)
	case s.CRC32C != checksum(s.Record):
		return record{}, errChecksum
	}
	var f record
	if err := decodeOne(s.Record, &f); err != nil {
		return record{}, err
	}
	return f, f.check()
}

// decodeOne reads one JSON value and nothing after it.
func decodeOne(b []byte, to any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	if err := dec.Decode(to); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errTrailing
	}
	return nil
}

package daemon

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	wire "github.com/lessee/lessee/wire/dhcp4"
)

// machineIDFile is where the system's identifier is: machine-id(5).
const machineIDFile = "/etc/machine-id"

// duidApplication is what makes our identifier another one than the machine's,
// which machine-id(5) wants kept to the machine.
var duidApplication = [16]byte{0x6c, 0x3b, 0x0f, 0x5e, 0x91, 0x47, 0x4d, 0xa2, 0xb8, 0x1d, 0x27, 0xe4, 0xc9, 0x50, 0x7a, 0x13}

var errNoMachineID = errors.New("it is not 32 hexadecimal digits")

// readDUID returns the DUID-UUID (RFC 6355) of the machine whose identifier is in
// the file: the same as long as the file is, and no way back to what is in it.
func readDUID(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	text = bytes.TrimSpace(text)
	id := make([]byte, 16)
	if n, err := hex.Decode(id, text[:min(len(text), 32)]); err != nil || n != 16 || len(text) != 32 {
		return nil, fmt.Errorf("%s: %w", file, errNoMachineID)
	}
	mac := hmac.New(sha256.New, id)
	_, _ = mac.Write(duidApplication[:]) // never fails
	uuid := [16]byte(mac.Sum(nil))
	// Version 4 and variant 1 (RFC 9562 sections 4.1 and 5.4).
	uuid[6] = uuid[6]&0x0f | 0x40
	uuid[8] = uuid[8]&0x3f | 0x80
	return wire.DUIDFromUUID(uuid), nil
}

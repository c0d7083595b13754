package text

import (
	"strconv"
	"sync"

	"golang.org/x/text/language"

	"github.com/lessee/lessee/errno"
)

// System returns the text of a Windows system error code in the language that
// fits best: without a capital, without a full stop, in words of our own. It
// reports whether the code is known. The text of an unknown code is its number:
// "system error 4242".
func System(code uint32, tag language.Tag) (string, bool) {
	p := printers()[spokenFor(tag)]
	if e := errno.Errno(code); e.Name() != strconv.FormatUint(uint64(code), 10) {
		return p.Text(e.Error()), true
	}
	if key, ok := systemTexts()[code]; ok {
		return p.Text(key), true
	}
	return p.Sprintf("system error %s", strconv.FormatUint(uint64(code), 10)), false
}

// printers has one of each language: the text of a code has no region.
var printers = sync.OnceValue(func() map[language.Tag]*Printer {
	m := make(map[language.Tag]*Printer)
	for _, tag := range Languages() {
		m[tag] = For(tag)
	}
	return m
})

// systemTexts has the common codes that the contract itself does not return:
// programs ask for the text of any error that they meet. Package errno has the
// contract's.
var systemTexts = sync.OnceValue(func() map[uint32]string {
	return map[uint32]string{
		1:     "this function does not exist here",
		3:     "no such path",
		4:     "too many files are open",
		6:     "the handle is not valid",
		8:     "there is not enough memory to do this",
		13:    "the data are not valid",
		14:    "the memory is used up",
		15:    "no such drive",
		18:    "there are no more files",
		19:    "the medium is write-protected",
		21:    "the device is not ready",
		22:    "the device does not know this command",
		24:    "the request has the wrong length",
		29:    "writing to the device failed",
		30:    "reading from the device failed",
		32:    "another program uses the file",
		33:    "another program has locked a part of the file",
		38:    "the end of the file was reached",
		51:    "the remote computer does not answer",
		52:    "the name is already in use on the network",
		53:    "the path was not found on the network",
		54:    "the network is busy",
		55:    "the network resource or device is gone",
		57:    "the network adapter has a fault",
		58:    "the server's answer makes no sense",
		59:    "an unexpected error on the network",
		64:    "the network name is gone",
		65:    "access to the network was denied",
		67:    "no such name on the network",
		71:    "the remote computer takes no more connections",
		80:    "the file exists already",
		82:    "the file or directory cannot be created",
		88:    "a fault while writing to the network",
		89:    "no more processes can be started",
		109:   "the other end of the pipe is closed",
		110:   "the file or device cannot be opened",
		112:   "the disk is full",
		120:   "this function is not implemented",
		123:   "a name, or a character in it, is not valid",
		124:   "this level of information does not exist",
		126:   "a library was not found",
		131:   "a position before the beginning of the file",
		145:   "the directory is not empty",
		161:   "the path is not valid",
		183:   "it exists already",
		193:   "this is not a program for this system",
		203:   "no such environment variable",
		206:   "the name is too long",
		230:   "the state of the pipe is not valid",
		231:   "all instances of the pipe are in use",
		233:   "nobody is at the other end of the pipe",
		234:   "there are more data",
		258:   "the time to wait is over",
		259:   "there are no more items",
		487:   "the memory address is not valid",
		534:   "the result of a calculation is too large",
		995:   "the operation was broken off",
		996:   "the overlapped operation is not complete",
		997:   "the overlapped operation goes on",
		998:   "no access to this place in memory",
		1003:  "the function cannot be completed",
		1004:  "the flags are not valid",
		1053:  "the service did not answer in time",
		1056:  "the service is running already",
		1058:  "the service is disabled",
		1060:  "the service is not installed",
		1062:  "the service was not started",
		1068:  "a service that this one needs did not start",
		1113:  "a character cannot be converted from or to Unicode",
		1115:  "the system is shutting down",
		1117:  "a fault of the device",
		1168:  "the element was not found",
		1200:  "the device name is not valid",
		1203:  "no network provider knows this path",
		1208:  "an error with further details",
		1214:  "the format of the network name is not valid",
		1225:  "the remote computer refused the connection",
		1226:  "the connection was closed in an orderly way",
		1227:  "the address is already in use at this end",
		1229:  "there is no such connection",
		1230:  "the connection is in use",
		1231:  "the network cannot be reached",
		1232:  "the host cannot be reached",
		1233:  "the host does not take this protocol",
		1234:  "nobody listens at the port of the host",
		1235:  "the request was aborted",
		1236:  "the connection was aborted at this end",
		1237:  "it did not succeed; try again",
		1241:  "the network address is not right",
		1242:  "the service is already registered",
		1243:  "no such service",
		1244:  "the user has not been authenticated",
		1245:  "the user is not logged on",
		1247:  "it is already initialized",
		1314:  "a privilege is missing",
		1450:  "the system is out of resources",
		1460:  "no answer in time",
		1722:  "the RPC server cannot be reached",
		1723:  "the RPC server is too busy",
		1726:  "the remote procedure call failed",
		1747:  "the authentication service is not known",
		10004: "a blocking call was interrupted",
		10013: "access to the socket was denied",
		10035: "the socket has nothing ready at the moment",
		10048: "the socket address is already in use",
		10049: "the socket address is not one of this machine",
		10050: "the network is down",
		10051: "there is no way to that network",
		10054: "the other side reset the connection",
		10055: "no buffer space for the socket",
		10060: "the other side did not answer in time",
		10061: "the other side refused the connection",
		10065: "there is no way to that host",
		11001: "no host of that name is known",
	}
})

// Package recording writes down what happens to a core, and plays it again: a bug of
// a user becomes a test.
//
// A [Recorder] stands between a core and its ports. It writes every input with its
// instant, everything that the core asks of its ports, and what they answer. [Replay]
// hands the same inputs to a core of this program, on the instants of the recording,
// gives the recorded answers, and prints the transcript. Where this core asks for
// something else, the transcript says so.
//
// # Format
//
// A recording is a text file. Each line is a JSON object.
//
//	{"lessee-recording":1,"program":"…","began":"2026-01-02T15:04:05Z"}
//	{"at":"3h2m1.5s","in":"Manage","what":{"Call":1,"Name":"eth0"}}
//	{"ask":"Prepare","what":{…}}
//	{"ask":"Send","what":{…},"answer":{"Err":{"Text":"network is down","Errno":100}}}
//	{"end":"stopped"}
//
// The first line has the version of the format, the program that wrote it, and when
// the recording began. A line with "at" is an input: an instant since boot, the type's
// name in package core, and its fields. Lines with "ask" follow the input that they
// come from: the name of a port's method, its arguments, and the answer. The last line
// says why the recording ended.
//
// Fields that are zero are absent. Addresses, prefixes, names and times are text, bytes
// are hexadecimal, enumerations are numbers. A text that is not UTF-8 is {"hex":"…"}.
// A field or a type that the reader does not know is an error: a program that adds one
// writes recordings that older programs refuse, and reads theirs. A change that an older
// program would misread, such as another number for an enumeration's value, increments
// the version.
//
// # Secrets
//
// The nonce by which a server proves a FORCERENEW (RFC 6704) is never written. The
// recording has another one in its place, the same wherever the first one stands, and
// the digest of an authentic message is that of the other nonce; that of a forged one is
// zeros. So the core comes to the same verdict when it is replayed. The information of
// any other authentication option (RFC 3118) is zeros.
package recording

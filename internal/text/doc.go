// Package text has the texts for people, in the languages that they read:
// English and French.
//
// The English text is the key of the catalog, so that the source reads as the
// program speaks; a text that the catalog lacks is shown in English. Where one
// English word has several translations, the key begins with what it is used
// for and a bar, which are not shown: "state|released".
//
// Logs, JSON and the API are never translated.
package text

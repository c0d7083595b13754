package text

import "sync"

// frenchFaults has what the Linux kernel answers, in the words in which package
// syscall says it, and what a context that ends says.
var frenchFaults = sync.OnceValue(func() dictionary {
	return dictionary{
		"address already in use":                   "adresse déjà utilisée",
		"address family not supported by protocol": "famille d'adresses non acceptée par le protocole",
		"argument list too long":                   "liste d'arguments trop longue",
		"bad file descriptor":                      "mauvais descripteur de fichier",
		"broken pipe":                              "tube rompu",
		"cannot allocate memory":                   "mémoire insuffisante",
		"cannot assign requested address":          "l'adresse demandée ne peut pas être attribuée",
		"connection refused":                       "connexion refusée",
		"connection reset by peer":                 "connexion réinitialisée par l'autre côté",
		"connection timed out":                     "pas de réponse à temps",
		"context canceled":                         "abandonné",
		"context deadline exceeded":                "le temps est écoulé",
		"device or resource busy":                  "périphérique ou ressource occupé",
		"disk quota exceeded":                      "quota de disque dépassé",
		"file exists":                              "le fichier existe",
		"file name too long":                       "nom de fichier trop long",
		"function not implemented":                 "fonction non réalisée",
		"host is down":                             "l'hôte est arrêté",
		"input/output error":                       "erreur d'entrée/sortie",
		"invalid argument":                         "argument non valide",
		"is a directory":                           "est un répertoire",
		"network is down":                          "le réseau est arrêté",
		"network is unreachable":                   "le réseau ne peut pas être atteint",
		"no buffer space available":                "plus de place dans les tampons",
		"no route to host":                         "pas de route vers l'hôte",
		"no space left on device":                  "plus de place sur le périphérique",
		"no such device":                           "ce périphérique n'existe pas",
		"no such device or address":                "ce périphérique ou cette adresse n'existe pas",
		"no such file or directory":                "ce fichier ou répertoire n'existe pas",
		"no such process":                          "ce processus n'existe pas",
		"not a directory":                          "n'est pas un répertoire",
		"operation not permitted":                  "opération non permise",
		"operation not supported":                  "opération non prise en charge",
		"protocol not available":                   "protocole non disponible",
		"read-only file system":                    "système de fichiers en lecture seule",
		"resource temporarily unavailable":         "ressource indisponible pour le moment",
		"too many open files":                      "trop de fichiers ouverts",
		"too many open files in system":            "trop de fichiers ouverts dans le système",
		"unexpected EOF":                           "fin inattendue",
	}
})

package text

// frenchErrors has what went wrong and what to do, said by the commands
// themselves. What has a reason is in frenchReasons.
func frenchErrors() dictionary {
	return dictionary{
		"%s; %s":             "%s ; %s",
		"alternative|' or '": "' ou '",

		// Wrong usage.
		"unknown command %q":                  "commande inconnue %q",
		"%s; did you mean '%s'?":              "%s ; vouliez-vous dire '%s' ?",
		"which command?":                      "quelle commande ?",
		"for which shell? %s":                 "pour quel shell ? %s",
		"unknown flag: --%s":                  "option inconnue : --%s",
		"unknown shorthand flag: %q in -%s":   "option courte inconnue : %q dans -%s",
		"flag needs an argument: --%s":        "il manque un argument à l'option --%s",
		"flag needs an argument: %q in -%s":   "il manque un argument à l'option %q dans -%s",
		"invalid argument %q for %q flag: %s": "argument %q non valide pour l'option %q : %s",
		"bad flag syntax: %s":                 "syntaxe d'option incorrecte : %s",
		"it takes %s or %s":                   "elle accepte %s ou %s",
		"it takes a time such as 20s or 2m":   "elle accepte un temps comme 20s ou 2m",
		"it takes a time of at least 1ms":     "elle accepte un temps d'au moins 1ms",
		"it takes a time of at most %s":       "elle accepte un temps d'au plus %s",
		"the adapter's name is empty":         "le nom de l'adaptateur est vide",
		"the adapter's name has %d bytes; a name has at most 15, an alternative one %d": "le nom de l'adaptateur a %d octets ; un nom en a au plus 15, un nom alternatif %d",
		"%q cannot be the name of an adapter; 'lessee list' shows them":                 "%q ne peut pas être le nom d'un adaptateur ; 'lessee list' les montre",
		"which adapter? 'lessee list' shows them":                                       "quel adaptateur ? 'lessee list' les montre",
		"%q: no argument is expected":                                                   "%q : aucun argument n'est attendu",
		"which recording? 'lessee daemon --record FILE' makes one":                      "quel enregistrement ? 'lessee daemon --record FICHIER' en fait un",
		"%q: one recording is expected":                                                 "%q : un seul enregistrement est attendu",
		"%s: this program does something else than the recorded one":                    "%s : ce programme fait autre chose que celui qui a été enregistré",
		"%q: one adapter is expected":                                                   "%q : un seul adaptateur est attendu",
		"--keep and --release exclude each other":                                       "--keep et --release s'excluent",
		"write to the standard output: %s":                                              "écriture sur la sortie standard : %s",
		"%s; this is what the kernel knows":                                             "%s ; voici ce que le noyau sait",

		// Where sandboxes are forbidden.
		"create namespaces":                    "créer les espaces de noms",
		"make the mounts private":              "rendre les montages privés",
		"cover /etc":                           "recouvrir /etc",
		"cover /etc/resolv.conf":               "recouvrir /etc/resolv.conf",
		"make /etc read-only":                  "mettre /etc en lecture seule",
		"cannot create a sandbox: %s (%s: %s)": "impossible de créer un bac à sable : %s (%s : %s)",
		"user namespaces are turned off; allow them with 'sysctl -w user.max_user_namespaces=15000', or run it as root: sudo lessee demo":                                          "les espaces de noms utilisateur sont désactivés ; permettez-les avec 'sysctl -w user.max_user_namespaces=15000', ou exécutez en tant que root : sudo lessee demo",
		"network namespaces are turned off; allow them with 'sysctl -w user.max_net_namespaces=15000'":                                                                             "les espaces de noms réseau sont désactivés ; permettez-les avec 'sysctl -w user.max_net_namespaces=15000'",
		"user namespaces are for root only; allow them with 'sysctl -w kernel.unprivileged_userns_clone=1', or run it as root: sudo lessee demo":                                   "les espaces de noms utilisateur sont réservés à root ; permettez-les avec 'sysctl -w kernel.unprivileged_userns_clone=1', ou exécutez en tant que root : sudo lessee demo",
		"AppArmor restricts user namespaces; allow them with 'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0', or run it as root: sudo lessee demo":                      "AppArmor restreint les espaces de noms utilisateur ; permettez-les avec 'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0', ou exécutez en tant que root : sudo lessee demo",
		"the limit of namespaces is reached; see the sysctls user.max_user_namespaces and user.max_net_namespaces":                                                                 "la limite des espaces de noms est atteinte ; voyez les sysctls user.max_user_namespaces et user.max_net_namespaces",
		"this kernel lacks user or network namespaces (CONFIG_USER_NS, CONFIG_NET_NS); run it as root on another kernel":                                                           "ce noyau n'a pas les espaces de noms utilisateur ou réseau (CONFIG_USER_NS, CONFIG_NET_NS) ; exécutez en tant que root sur un autre noyau",
		"root lacks CAP_SYS_ADMIN here, as in a container; start the container with '--privileged' or '--cap-add SYS_ADMIN --cap-add NET_ADMIN --security-opt seccomp=unconfined'": "root n'a pas CAP_SYS_ADMIN ici, comme dans un conteneur ; démarrez le conteneur avec '--privileged' ou '--cap-add SYS_ADMIN --cap-add NET_ADMIN --security-opt seccomp=unconfined'",
		"a container or security module forbids user namespaces, or run it as root: sudo lessee demo":                                                                              "un conteneur ou un module de sécurité interdit les espaces de noms utilisateur ; ou exécutez en tant que root : sudo lessee demo",
	}
}

package text

// frenchHelp has the help of the commands. Its lines are at most 80 columns wide.
func frenchHelp() dictionary {
	return dictionary{
		"COMMAND":   "COMMANDE",
		"ADAPTER":   "ADAPTATEUR",
		"FILE":      "FICHIER",
		"SHELL":     "SHELL",
		"[flags]":   "[options]",
		"usage:":    "usage :",
		"commands:": "commandes :",
		"flags:":    "options :",
		"default":   "par défaut",
		"'lessee help COMMAND' explains a command.": "'lessee help COMMANDE' explique une commande.",

		"list, release and renew DHCP leases": "lister, libérer et renouveler des baux DHCP",
		"lessee is a DHCP client: it lists network adapters and their leases, obtains,\n" +
			"renews and releases leases, and runs the daemon that looks after them.": "lessee est un client DHCP : il liste les adaptateurs réseau et leurs baux,\n" +
			"obtient, renouvelle et libère des baux, et exécute le démon qui s'en occupe.",
		"`PATH` of the daemon's socket, else $%s,\nelse %s": "`CHEMIN` du socket du démon, sinon $%s,\nsinon %s",
		"print the version": "afficher la version",
		"help for %s":       "aide de %s",

		"list adapters with their leases": "lister les adaptateurs et leurs baux",
		"List the network adapters but loopback: their index, name, state, who manages\n" +
			"them by DHCP, address, server, and the time left of the lease.\n\n" +
			"Without a daemon the list shows what the kernel knows.": "Lister les adaptateurs réseau sauf la boucle locale : index, nom, état, qui les\n" +
			"gère par DHCP, adresse, serveur, et le temps qui reste au bail.\n\n" +
			"Sans démon, la liste montre ce que le noyau sait.",
		"form of the output": "forme de la sortie",

		"show all that is known of an adapter":                                  "montrer tout ce qui est connu d'un adaptateur",
		"Show all that is known of one adapter and its lease: one fact a line.": "Montrer tout ce qui est connu d'un adaptateur et de son bail, un fait par ligne.",

		"renew leases, or get new ones after a release": "renouveler des baux, ou en obtenir après un release",
		"Ask the server of each lease to extend it, and wait until that is done. After a\n" +
			"release, or without a lease, any server on the link may give one.\n\n" +
			"Without ADAPTER: every adapter that is managed by DHCP.": "Demander au serveur de chaque bail de le prolonger, et attendre que ce soit\n" +
			"fait. Après un release, ou sans bail, tout serveur du lien peut en donner un.\n\n" +
			"Sans ADAPTATEUR : tous les adaptateurs gérés par DHCP.",
		"give leases back, stay idle until a renew": "rendre des baux, rester au repos jusqu'à un renew",
		"Give leases back to their servers. The adapters stay without an address until\n" +
			"somebody renews.\n\n" +
			"Without ADAPTER: every adapter that is managed by DHCP.": "Rendre des baux à leurs serveurs. Les adaptateurs restent sans adresse jusqu'à\n" +
			"ce que quelqu'un renouvelle.\n\n" +
			"Sans ADAPTATEUR : tous les adaptateurs gérés par DHCP.",
		"IPv4 leases (the default)":          "baux IPv4 (par défaut)",
		"IPv6 leases":                        "baux IPv6",
		"how long to wait, such as 5s or 2m": "`TEMPS` d'attente, comme 5s ou 2m",

		"manage adapters by DHCP, wait for their leases": "gérer des adaptateurs par DHCP, attendre leurs baux",
		"Let the daemon manage these adapters by DHCP, from now on and after a restart,\n" +
			"and wait until each has an address.": "Faire gérer ces adaptateurs par DHCP par le démon, dès maintenant et après un\n" +
			"redémarrage, et attendre que chacun ait une adresse.",
		"stop to manage adapters": "cesser de gérer des adaptateurs",
		"Let the daemon manage these adapters no longer. Their leases are given back, or,\n" +
			"with --keep, stay in use until they run out.": "Ne plus faire gérer ces adaptateurs par le démon. Leurs baux sont rendus ou,\n" +
			"avec --keep, restent utilisés jusqu'à leur fin.",
		"give the lease back (the default)":         "rendre le bail (par défaut)",
		"keep the address until its lease runs out": "garder l'adresse jusqu'à la fin de son bail",

		"show events as they happen": "montrer les événements au fur et à mesure",
		"Show what happens to all adapters, as it happens, until interrupted: leases\n" +
			"bound, renewed, released or expired, links up and down, conflicts and problems.\n\n" +
			"With --verbose packets and states too. JSON has everything, one event a line.": "Montrer ce qui arrive à tous les adaptateurs, jusqu'à une interruption : baux\n" +
			"attribués, renouvelés, libérés ou expirés, liens actifs ou coupés, conflits et\n" +
			"problèmes.\n\n" +
			"Avec --verbose, les paquets et les états aussi. JSON contient tout, un événement\n" +
			"par ligne.",
		"packets and states too": "les paquets et les états aussi",

		"run the DHCP client service": "exécuter le service client DHCP",
		"Manage the adapters named here, in the configuration, or by 'lessee up': obtain\n" +
			"leases, configure them, renew them in time. On SIGTERM addresses stay.\n\n" +
			"The configuration file may be absent, unless --config names it.": "Gérer les adaptateurs nommés ici, dans la configuration ou par 'lessee up' :\n" +
			"obtenir des baux, les configurer, les renouveler à temps. Les adresses restent\n" +
			"après SIGTERM.\n\n" +
			"Le fichier de configuration peut manquer, sauf si --config le nomme.",
		"configuration `FILE`": "`FICHIER` de configuration",
		"`DIR` where leases are kept over a reboot, or\n'%s', else $%s,\nelse %s":        "`DOSSIER` où les baux sont gardés après un\nredémarrage, ou '%s', sinon $%s,\nsinon %s",
		"`DIR` for the leases of this boot, best on a\ntmpfs, else the control socket's": "`DOSSIER` des baux de ce démarrage, un\ntmpfs de préférence, sinon celui du socket",
		"record all that happens to a new `FILE`, for\n'lessee replay'":                  "nouveau `FICHIER` où tout enregistrer, pour\n'lessee replay'",
		"log packets and states too": "journaliser aussi les paquets et les états",

		"play a recording, show what was done and why": "rejouer un enregistrement",
		"Play a recording of the DHCP client service, which its --record makes, through\n" +
			"the client of this program, and print what happened and what the client asked\n" +
			"for. Nothing is sent or configured, and no time passes.\n\n" +
			"Where this program does something else than the recorded one did, a line says\n" +
			"so, and the exit status is 1; it is 2 if the recording cannot be read to its\nend.": "Rejouer un enregistrement du service client DHCP, que fait son option --record,\n" +
			"avec le client de ce programme, et afficher ce qui est arrivé et ce que le\n" +
			"client a demandé. Rien n'est envoyé ni configuré, et le temps ne passe pas.\n\n" +
			"Là où ce programme fait autre chose que celui qui a été enregistré, une ligne\n" +
			"le dit, et le code de sortie est 1. Il est 2 si l'enregistrement ne peut pas\n" +
			"être lu jusqu'au bout.",

		"show the whole thing in a sandbox": "tout montrer dans un bac à sable",
		"Run the daemon and a DHCP server in network namespaces of their own, obtain,\n" +
			"renew and release a lease, and show each step with its packets. No root is\n" +
			"needed, no server, and nothing outside is touched.": "Exécuter le démon et un serveur DHCP dans leurs propres espaces de noms réseau,\n" +
			"obtenir, renouveler et libérer un bail, et montrer chaque étape avec ses\n" +
			"paquets. Il ne faut ni root ni serveur, et rien n'est touché au-dehors.",

		"print the version of this program, and of the daemon":              "afficher la version de ce programme et du démon",
		"Print the version of this program, and of the daemon if one runs.": "Afficher la version de ce programme, et du démon s'il y en a un en marche.",

		"explain a command":                "expliquer une commande",
		"Explain a command and its flags.": "Expliquer une commande et ses options.",

		"print the script that completes arguments in a shell": "afficher le script qui complète les arguments",
		"Print the script that lets a shell complete commands, flags and the names of\n" +
			"adapters. SHELL is bash, zsh, fish or powershell. For bash, for example:\n\n" +
			"  lessee completion bash > /etc/bash_completion.d/lessee": "Afficher le script par lequel un shell complète les commandes, les options et\n" +
			"les noms d'adaptateurs. SHELL est bash, zsh, fish ou powershell. Pour bash :\n\n" +
			"  lessee completion bash > /etc/bash_completion.d/lessee",
	}
}

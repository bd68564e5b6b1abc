from ecgvec.commands import main

main()

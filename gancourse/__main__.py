from gancourse.cli import main

main()

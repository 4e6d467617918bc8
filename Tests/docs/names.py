"""Names in the documentation of things that are not there.

    names.py HELP PAGE...

HELP is a folder with the --help of each program; pages are Markdown. From the root of the project. Prints a line for each fault:
broken links, files, goals and settings of pipeline.mk, options of programs, types, tests, and lines that are too long.

In examples, types and files whose name begins with My are the reader's own.
"""

import glob
import os
import re
import shlex
import sys

CATALOGUE = "Sources/Stages/Documentation.docc"
PROGRAMS = ("tokenize", "train", "capture", "distill", "splice", "score", "bench", "report")
# Whose options are in make's variables.
FLAGS = {"INPLACE_FLAGS": "train", **{f"{program.upper()}_FLAGS": program for program in PROGRAMS}}
COLUMNS = 120


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class Project:
    """What there is to be named."""

    def __init__(self, help_folder):
        self.help = {
            program: set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", read(os.path.join(help_folder, program))))
            for program in PROGRAMS}
        self.options = set().union(*self.help.values())
        makefile = read("pipeline.mk")
        rules = re.findall(r"^([a-z][a-z -]*):(?!=)", makefile, re.MULTILINE)
        self.goals = {goal for rule in rules for goal in rule.split()}
        self.settings = set(re.findall(r"^([A-Z_]+) \?=", makefile, re.MULTILINE)) | {
            "CORES", "JOBS", "SWIFT", "SWIFT_FLAGS", "CORPUS_FILES"}
        files = glob.glob("Sources/**/*.swift", recursive=True) + glob.glob("Tests/**/*.swift", recursive=True)
        self.code = "\n".join(read(path) for path in files)
        self.words = set(re.findall(r"\w+", self.code))

    def has_test(self, suite, name):
        bodies = re.split(r"^(?=@Suite|struct )", self.code, flags=re.MULTILINE)
        return any(
            re.search(rf"\bstruct {suite}\b", body) and (not name or re.search(rf"@Test\b((?!\bfunc\b).)*\bfunc {name}\(", body, re.DOTALL))
            for body in bodies)


class Page:
    """A page cut into lines of text with their code spans, and lines of code."""

    def __init__(self, path):
        self.path = path
        self.text, self.code = [], []  # (line number, text); of code, what backslashes join is one line
        self.lines = list(enumerate(read(path).split("\n"), 1))
        fence, before, joined = None, "", None
        for number, line in self.lines:
            if line.startswith("```"):
                fence = None if fence is not None else line[3:].strip()
            elif fence is not None:
                if fence in ("", "sh"):
                    self.code.append((number, line))
            elif line.startswith("    ") and (not before.strip() or before.startswith("    ")):
                line = line.strip()
                if joined:
                    number, line = joined[0], joined[1] + " " + line
                joined = (number, line[:-1].rstrip()) if line.endswith("\\") else None
                if not joined:
                    self.code.append((number, line))
                before = "    "
                continue
            else:
                self.text.append((number, line))
            before = line

    def spans(self):
        for number, line in self.text:
            for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", line):
                yield number, span

    def fragments(self):
        yield from self.code
        yield from self.spans()


def links(page):
    for number, line in page.text:
        bare = re.sub(r"`[^`]*`", "", line)
        for target in re.findall(r"\]\(([^)\s]+)\)|<(doc:[^>]+)>", bare):
            target = target[0] or target[1]
            if re.match(r"https?:|#|mailto:", target):
                continue
            if target.startswith("doc:"):
                path = f"{CATALOGUE}/{target[4:]}.md"
            else:
                path = os.path.join(os.path.dirname(page.path), target.split("#")[0])
            if not os.path.exists(path):
                yield number, f"a link to {target}, which is not there"


def files(page):
    for number, span in page.spans():
        if not re.fullmatch(r"(\.ci|Sources|Tests|data)/[\w./+*-]*|[\w-]+\.(mk|sh)", span):
            continue
        if os.path.basename(span).startswith("My"):
            continue
        if not glob.glob(span) and not glob.glob("Tests/" + span):
            yield number, f"{span}, which is not there"


def make(page, project):
    for number, fragment in page.fragments():
        found = re.search(r"\bmake (?:-\w+ )*-f pipeline\.mk\b(.*)", fragment)
        if found:
            try:
                words = shlex.split(re.sub(r"\.\.\.|;.*|\|.*", "", found[1]), comments=True)
            except ValueError as error:
                yield number, f"{fragment}: {error}"
                continue
        elif re.match(r"[A-Z_]+(_\S+)?=", fragment):
            words = shlex.split(fragment)
        else:
            continue
        for word in words:
            name, equals, value = word.partition("=")
            if equals and re.fullmatch(r"[A-Z_]+(_[a-z]\S*)?", name):
                if name not in project.settings and not name.startswith("DISTILL_FLAGS_"):
                    yield number, f"{name}, which is no setting of pipeline.mk"
                program = FLAGS.get(name) or ("distill" if name.startswith("DISTILL_FLAGS_") else None)
                for option in re.findall(r"--[a-z][a-z0-9-]*", value) if program else []:
                    if option not in project.help[program]:
                        yield number, f"{option}, which is no option of {program}"
            elif re.fullmatch(r"[a-z][a-z-]*", word) and word not in project.goals:
                yield number, f"{word}, which is no goal of pipeline.mk"


def options(page, project):
    command = re.compile(rf"(?:^|[\s/])({'|'.join(PROGRAMS)}) (--?[a-z].*)")
    for number, fragment in page.fragments():
        found = command.search(re.sub(r" [|>&] .*", "", fragment))
        if found and "make " not in fragment[:found.start()]:
            program, known = found[1], project.help[found[1]]
            given = re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", found[2])
        elif re.match("--[a-z]", fragment):
            program, known, given = "any program", project.options, [re.split(r"[ =]", fragment)[0]]
        else:
            continue
        for option in given:
            if option not in known:
                yield number, f"{option}, which is no option of {program}"


def types(page, project):
    for number, span in page.spans():
        found = re.fullmatch(r"([A-Z]\w+Tests)(?:/(\w+))?", span)
        if found:
            if not project.has_test(*found.groups()):
                yield number, f"{span}, which is no test"
            continue
        found = re.fullmatch(r"([A-Z][a-z]\w*[A-Z]\w*)(?:\.\w+)?", span)
        if found and not found[1].startswith("My") and found[1] not in project.words:
            yield number, f"{span}, which no source names"


def lengths(page):
    for number, line in page.lines:
        if len(line) > COLUMNS and not line.startswith("|"):
            yield number, f"{len(line)} columns"
    for number, line in page.text:
        if line.count("`") % 2:
            yield number, "a code span that goes on in the next line"
    if page.path == "README.md" and len(page.lines) > 151:
        yield 151, "more than 150 lines"


def main(help_folder, paths):
    project, faults = Project(help_folder), 0
    for path in paths:
        page = Page(path)
        checks = [
            links(page), files(page), make(page, project), options(page, project), types(page, project), lengths(page)]
        for number, fault in sorted(fault for check in checks for fault in check):
            print(f"{path}:{number}: {fault}")
            faults += 1
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))

#!/usr/bin/env python3
"""The wizard, at a terminal: the script's questions in its words, from its environment variables alone;
and the same command without questions."""
import os
import re
import shlex
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from desk import DELETE, MENU, PROCEED, Desk, answer
from scene import main, sql


def filled(desk):
    """Five of one day, two of others."""
    for i in range(1, 6):
        desk.add(f"ECAL_202502140{i}", f"recording/2025-02-14/session_{i}/", f"2025-02-14 1{6 - i}:33:21")
    desk.add("ECAL_2025021301", "recording/2025-02-13/session_1/", "2025-02-13 23:59:59")
    desk.add("ECAL_2025021501", "recording/2025-02-15/session_1/", "2025-02-15 00:00:00")


def case_by_a_single_date():
    with Desk() as desk:
        filled(desk)
        with desk.sit(columns=120, rows=100) as terminal:
            answer(terminal, (MENU, "2"), ("Date: ", "2025-02-14"), (DELETE, ""), (PROCEED, "yes"))
            assert terminal.end() == 0, terminal.screen.text()
            said = terminal.screen.text()
        for line in ("          ECAL Data Cold Storage Migration Tool",
                     "Select the type of migration:", "1. Migrate by ECAL IDs",
                     "2. Migrate by single date", "3. Migrate by date range",
                     "Enter your choice (1-3): 2", "Enter date (YYYY-MM-DD format):",
                     "Date: 2025-02-14", "Selected date: 2025-02-14",
                     "Fetching records from database...", "Found 5 record(s) to migrate:",
                     "1. ECAL ID: ECAL_2025021405", "   Recording Start: 2025-02-14 11:33:21",
                     "   Size: 2.45 GB", "5. ECAL ID: ECAL_2025021401",
                     "Total size to migrate: 12.3 GB", PROCEED + "yes"):
            assert f"\n{line}\n" in said, (line, said)
        assert re.search(r"\n   Current Location: http://\S{73}\.\.\.\n", said), said
        assert "5 directories" in said and "Moved 5 recordings" in said, said
        desk.check_moved(*(f"ECAL_202502140{i}" for i in range(1, 6)))


def case_by_ids_and_by_range_and_again_without_questions():
    with Desk() as desk:
        filled(desk)
        with desk.sit(columns=120, rows=100) as terminal:
            answer(terminal, (MENU, "1"), ("ECAL IDs: ", " ECAL_2025021401, ECAL_2025021403 "),
                   (DELETE, "now"), (PROCEED, "yes"))
            assert terminal.end() == 0, terminal.screen.text()
        desk.check_moved("ECAL_2025021401", "ECAL_2025021403")
        sql("UPDATE ecal SET size_gb = NULL WHERE ecal_id = 'ECAL_2025021402';", server=desk.server)
        with desk.sit(columns=120, rows=100) as terminal:
            answer(terminal, (MENU, "3"), ("Start date: ", "2025-02-13"), ("End date: ", "2025-02-14"),
                   (DELETE, "now"), (PROCEED, "no"))
            assert terminal.end() == 5, terminal.screen.text()
            said = terminal.screen.text()
        assert "Selected date range: 2025-02-13 to 2025-02-14" in said, said
        assert "2 record(s) are in cold already and are skipped." in said, said
        assert "\nand 1 record(s) whose size the catalog does not tell.\n" in said, said
        assert "Found 4 record(s) to migrate:" in said and "Nothing was migrated." in said, said
        desk.check_moved("ECAL_2025021401", "ECAL_2025021403")
        with desk.sit(columns=160, rows=100) as terminal:
            answer(terminal, (MENU, "3"), ("Start date: ", "2025-02-15"), ("End date: ", "2025-02-15"),
                   (DELETE, "now"), (PROCEED, "yes"))
            assert terminal.end() == 0, terminal.screen.text()
            command = re.search(r"The same without questions:\n  frostline (.*)\n",
                                terminal.screen.text()).group(1)
        words = shlex.split(command.replace("2025-02-15..2025-02-15", "2025-02-13..2025-02-14"))
        assert words[:3] == ["apply", "--select", "date:2025-02-13..2025-02-14"], words
        desk.run(*words).must()
        desk.check_moved(*desk.keys)


def case_sources_may_wait_or_stay():
    with Desk() as desk:
        filled(desk)
        for ident, words, waits in (("ECAL_2025021401", "after 7 days", 1),
                                    ("ECAL_2025021402", "no", 0)):
            with desk.sit(columns=160, rows=100) as terminal:
                answer(terminal, (MENU, "1"), ("ECAL IDs: ", ident), (DELETE, words), (PROCEED, "yes"))
                assert terminal.end() == 0, terminal.screen.text()
                said = terminal.screen.text()
            assert "deleted 0 sources" in said, said
            assert said.count("1 source waits until ") == waits, said
            directory = desk.keys[ident].rsplit("/", 1)[0] + "/"
            assert len(desk.source.names(desk.hot, directory)) == 3
            assert len(desk.target.names(desk.cold, directory)) == 3
        policy = os.path.join(desk.folder, "state", "wizard.yaml")
        assert "1 source" in desk.run("status").must().out
        desk.run("reap", policy).must()


def case_every_question_is_answered_wrongly_once():
    with Desk() as desk:
        filled(desk)
        with desk.sit(columns=120, rows=200) as terminal:
            answer(terminal, (MENU, "4"), "Please enter 1, 2 or 3", ("(1-3): ", "x" * 70),
                   ("(1-3): ", "2"), ("Date: ", "2025-02-30"),
                   "2025-02-30 is no date", ("Date: ", "14.02.2025"), ("Date: ", "q"),
                   (MENU, "3"), ("Start date: ", "2025-02-15"), ("End date: ", "2025-02-14"),
                   "2025-02-14 is before 2025-02-15", ("Start date: ", ""),
                   ("Start date: ", "q"),
                   (MENU, "1"), ("ECAL IDs: ", " , "), "An empty list selects nothing",
                   ("ECAL IDs: ", "ECAL_2025021401, nobody"), "Not in the catalog: nobody",
                   "Choose again: leave these out", (MENU, "2"), ("Date: ", "1999-12-31"), "No records found to migrate.",
                   (MENU, "2"), ("Date: ", "2025-02-13"), (DELETE, "perhaps"),
                   "Please answer now, after 7 days or no", (DELETE, "q"),
                   (MENU, "2"), ("Date: ", "2025-02-13"), (DELETE, "now"), (PROCEED, "YES"),
                   "Please answer yes or no.", (PROCEED, "yes"))
            assert terminal.end() == 0, terminal.screen.text()
        desk.check_moved("ECAL_2025021301")


def case_nobody_is_left_in_the_middle():
    """Ctrl-C, Ctrl-D and q at each question: nothing is done."""
    steps = ((MENU, "2"), ("Date: ", "2025-02-14"), (DELETE, "now"), (PROCEED, "yes"))
    with Desk() as desk:
        filled(desk)
        for last in range(len(steps)):
            for key, code in (("\x03", 130), ("\x04", 5)):
                with desk.sit() as terminal:
                    answer(terminal, *steps[:last])
                    terminal.expect(steps[last][0])
                    terminal.send(key)
                    assert terminal.end() == code, (last, key, terminal.screen.text())
        desk.check_moved()


def case_a_dumb_terminal_and_a_narrow_one():
    with Desk() as desk:
        filled(desk)
        for ident, term, columns in (("ECAL_2025021401", "dumb", 80), ("ECAL_2025021402", "xterm", 40)):
            with desk.sit(term=term, columns=columns, rows=100) as terminal:
                answer(terminal, (MENU, "1"), ("ECAL IDs: ", ident), (DELETE, "now"), (PROCEED, "yes"))
                assert terminal.end() == 0, terminal.screen.text()
                assert term != "dumb" or "\x1b" not in terminal.said, terminal.said
                assert "Moved 1 recording in 1 directory" in terminal.said, terminal.said
        desk.check_moved("ECAL_2025021401", "ECAL_2025021402")


def case_a_directory_that_others_share_is_kept():
    """The script left a row behind that pointed at nothing."""
    with Desk() as desk:
        desk.add("A", "recording/2025-02-14/shared/", "2025-02-14 10:00:00")
        desk.add("B", "recording/2025-02-14/shared/", "2025-02-15 10:00:00")
        desk.add("C", "recording/2025-02-14/alone/", "2025-02-14 11:00:00")
        with desk.sit(columns=120, rows=100) as terminal:
            answer(terminal, (MENU, "2"), ("Date: ", "2025-02-14"), (DELETE, "now"), (PROCEED, "yes"))
            assert terminal.end() == 0, terminal.screen.text()
            said = terminal.screen.text()
        assert "shared-directory: B is not selected" in said, said
        desk.check_moved("C")


def case_what_is_missing_is_listed_at_once():
    with Desk() as desk:
        with desk.sit(without=["DB_HOST", "COLD_STORAGE_CONNECTION_STRING"], columns=120) as terminal:
            assert terminal.end() == 64
            assert ("frostline: missing environment variables: DB_HOST, COLD_STORAGE_CONNECTION_STRING\n"
                    in terminal.screen.text()), terminal.screen.text()
        told = desk.run("wizard").must(5)
        assert "nobody is there to answer" in told.err and "--auto-approve" in told.err, told.err


def case_containers_are_found_as_they_come():
    """One source store a container that the chosen rows name; others are told of."""
    with Desk() as desk, Desk() as more:
        desk.add("A", "recording/a/", "2025-02-14 10:00:00")
        more.source.put(more.hot, "recording/b/b.ecalmeas", b"b")
        desk.add_row("B", more.source.url(more.hot, "recording/b/b.ecalmeas"), "2025-02-15 10:00:00")
        desk.add_row("C", "https://elsewhere.example/x/c.ecalmeas", "2025-02-15 11:00:00")
        for day, found in (("2025-02-14", 1), ("2025-02-15", 1)):
            with desk.sit(columns=120, rows=100) as terminal:
                answer(terminal, (MENU, "2"), ("Date: ", day), (DELETE, "now"), (PROCEED, "yes"))
                assert terminal.end() == 0, terminal.screen.text()
                said = terminal.screen.text()
            assert f"Found {found} record(s) to migrate:" in said, said
        assert "1 record(s) lie in no known store, and can't be migrated, like C." in said, said
        desk.check_moved("A")
        assert desk.locations()["B"] == desk.target.url(desk.cold, "recording/b/b.ecalmeas")
        with open(os.path.join(desk.folder, "state", "wizard.yaml")) as file:
            text = file.read()
        assert f"container: {desk.hot}\n" in text and f"container: {more.hot}\n" in text, text
        assert os.environ["DB_PASSWORD"] not in text.replace("DB_PASSWORD", ""), text
        assert "AccountKey" not in text, text


def case_what_a_person_writes_into_its_policy_stays():
    """And what no container can be called becomes no store."""
    with Desk() as desk, Desk("more") as more, Desk() as third:
        policy = os.path.join(desk.folder, "state", "wizard.yaml")
        for each, ident in ((desk, "A"), (more, "B"), (third, "C")):
            key = f"recording/{ident}/{ident}.ecalmeas"
            each.source.put(each.hot, key, b"x")
            desk.add_row(ident, each.source.url(each.hot, key), "2025-02-14 10:00:00")
        desk.add_row("D", desk.source.url("-odd--", "recording/d/d.ecalmeas"), "2025-02-14 10:00:00")
        for ident, hold in (("A", ""), ("B", "holds:\n  - {name: court, select: {ids: [C]}}\n"), ("C", "")):
            if hold:
                with open(policy, "a") as file:
                    file.write(hold)
            with desk.sit(columns=120, rows=100) as terminal:
                answer(terminal, (MENU, "1"), ("ECAL IDs: ", f"{ident}, D"), (DELETE, "now"))
                if ident != "C":
                    answer(terminal, (PROCEED, "yes"))
                assert terminal.end() == 0, terminal.screen.text()
                assert "can't be migrated, like D." in terminal.screen.text(), terminal.screen.text()
        with open(policy) as file:
            text = file.read()
        assert "name: court" in text and "odd" not in text, text
        for each in (desk, more, third):
            assert text.count(f"    container: {each.hot}\n") == 1, text
        locations = desk.locations()
        for each, ident in ((desk, "A"), (more, "B")):
            assert locations[ident] == desk.target.url(desk.cold, f"recording/{ident}/{ident}.ecalmeas")
        assert locations["C"] == third.source.url(third.hot, "recording/C/C.ecalmeas"), locations


def case_a_container_may_be_called_as_the_target_is():
    with Desk() as desk:
        desk.add("A", "recording/a/", "2025-02-14 10:00:00")
        try:
            for name in ("cold", "source-cold"):
                desk.source.make_container(name)
                key = f"recording/{name}/b.ecalmeas"
                desk.source.put(name, key, b"b")
                desk.add_row(name, desk.source.url(name, key), "2025-02-15 10:00:00")
            with desk.sit(columns=120, rows=100) as terminal:
                answer(terminal, (MENU, "2"), ("Date: ", "2025-02-15"), (DELETE, "no"), (PROCEED, "no"))
                assert "Found 2 record(s)" in terminal.screen.text(), terminal.screen.text()
                assert terminal.end() == 5, terminal.screen.text()
        finally:
            for name in ("cold", "source-cold"):
                desk.source.drop_container(name)


def case_the_command_is_the_same_whatever_was_typed():
    with Desk() as desk:
        desk.add("date:1", "recording/1/", "2025-02-14 10:00:00")
        desk.add("@2", "recording/2/", "2025-02-14 11:00:00")
        state = os.path.join(desk.folder, "its own")
        with desk.sit("--state", state, columns=200, rows=100) as terminal:
            answer(terminal, (MENU, "1"), ("ECAL IDs: ", "@2, date:1"), (DELETE, "no"), (PROCEED, "yes"))
            assert terminal.end() == 0, terminal.screen.text()
            command = re.search(r"\n  frostline (.*)\n", terminal.screen.text()).group(1)
        words = shlex.split(command)
        assert words[:3] == ["apply", "--select", "id:@2,id:date:1"], words
        assert words[words.index("--state") + 1] == state, words
        assert "Nothing that was selected is elsewhere." in desk.run(*words).must().out
        with desk.sit("--state", state, "--to", desk.hot, columns=200, rows=100) as terminal:
            answer(terminal, (MENU, "1"), ("ECAL IDs: ", "@2"), (DELETE, "no"), (PROCEED, "no"))
            assert f"any -> {desk.hot}" in terminal.screen.text(), terminal.screen.text()
            assert terminal.end() == 5, terminal.screen.text()


def case_a_container_that_is_missing_is_made():
    with Desk() as desk:
        filled(desk)
        desk.target.drop_container(desk.cold)
        steps = ((MENU, "2"), ("Date: ", "2025-02-13"), (DELETE, "now"),
                 "The container of the store cold does not exist.", ("Create it? (yes/no): ", "maybe"))
        with desk.sit(columns=120, rows=100) as terminal:
            answer(terminal, *steps, ("Create it? (yes/no): ", "no"))
            assert terminal.end() == 5, terminal.screen.text()
        with desk.sit(columns=120, rows=100) as terminal:
            answer(terminal, *steps, ("Create it? (yes/no): ", "yes"), (PROCEED, "yes"))
            assert terminal.end() == 0, terminal.screen.text()
        desk.check_moved("ECAL_2025021301")


PASSWORD = "p@ss w:/?#[]!$&'()*+,;=%\"`\\{}|<>^~ü"


def case_names_and_passwords_may_be_odd():
    with Desk() as desk:
        role, quoted = f"o'{desk.name}", PASSWORD.replace("'", "''")
        desk.add("an id's own", "recording/2025-02-14/a b's (ü)/", "2025-02-14 10:00:00", name="x")
        sql(f"CREATE ROLE \"{role}\" LOGIN PASSWORD '{quoted}'; "
            f"GRANT ALL ON ecal TO \"{role}\";", server=desk.server)
        try:
            desk.server.update(DB_USER=role, DB_PASSWORD=PASSWORD)
            with desk.sit(columns=200, rows=100) as terminal:
                answer(terminal, (MENU, "1"), ("ECAL IDs: ", "an id's own"), (DELETE, "no"),
                       (PROCEED, "yes"))
                assert terminal.end() == 0, terminal.screen.text()
                said = terminal.screen.text()
            command = re.search(r"\n  frostline (.*)\n", said).group(1)
            told = desk.run(*shlex.split(command)).must().out
            assert "Nothing that was selected is elsewhere." in told, told
        finally:
            desk.server = dict(os.environ, DB_NAME=desk.name)
            sql(f"REVOKE ALL ON ecal FROM \"{role}\"; DROP ROLE \"{role}\";", server=desk.server)


def case_a_policy_may_stand_for_the_variables():
    with Desk() as desk:
        filled(desk)
        desk.run("wizard").must(5)
        with desk.sit(columns=120, rows=100) as terminal:
            answer(terminal, (MENU, "2"), ("Date: ", "2025-02-13"), (DELETE, "now"), (PROCEED, "no"))
            assert terminal.end() == 5
        shutil.copy(os.path.join(desk.folder, "state", "wizard.yaml"),
                    os.path.join(desk.folder, "own.yaml"))
        with desk.sit("own.yaml", columns=120, rows=100) as terminal:
            answer(terminal, (MENU, "2"), ("Date: ", "2025-02-13"), (DELETE, "now"), (PROCEED, "yes"))
            assert terminal.end() == 0, terminal.screen.text()
            assert "--auto-approve own.yaml\n" in terminal.screen.text(), terminal.screen.text()
        desk.check_moved("ECAL_2025021301")
        # As for every verb, frostline.yaml here needs no name.
        os.rename(os.path.join(desk.folder, "own.yaml"), os.path.join(desk.folder, "frostline.yaml"))
        with desk.sit(columns=120, rows=100) as terminal:
            answer(terminal, (MENU, "2"), ("Date: ", "2025-02-15"), (DELETE, "now"), (PROCEED, "yes"))
            assert terminal.end() == 0, terminal.screen.text()
            assert "--grace 0s --auto-approve\n" in terminal.screen.text(), terminal.screen.text()
        desk.check_moved("ECAL_2025021301", "ECAL_2025021501")


if __name__ == "__main__":
    main(globals())

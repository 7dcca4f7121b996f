"""The faults that `python -m tests.faults` plants in explorers, widgets and server; as in fault_list.py."""

from tests.fault_list import fault

WIDGETS, SHARED = "tests/widgets/test_widgets.py", "tests/explorers/test_explorer.py"
TEMPERATURE, BETWEEN = "tests/explorers/test_temperature.py", "tests/explorers/test_between.py"
STATE, MOVED = "tests/explorers/test_state.py", "tests/explorers/test_moved.py"
KEPT, KNOWN = "tests/explorers/test_kept.py", "tests/explorers/test_known.py"
HOUSE, SERVE = "tests/serving/test_house.py", "tests/test_serve.py"

# fmt: off
WHILE_IT_MOVES = [
    fault("slow work of an older move goes on", "explorers/render.py",
          "if ticket == self._ticket:", "if True:",
          at=f"{WIDGETS}::test_while_a_kernel_runs_slow_work_waits_for_rest"),
    fault("many changes are drawn one by one", "explorers/render.py",
          "        if self._held:\n", "        if False:\n",
          at=f"{WIDGETS}::test_a_renderer_draws_once_for_many_changes_and_keeps_the_latest"),
    fault("new work does not drop the old", "explorers/slices.py",
          "if self._work is not work:", "if self._work is None:",
          at=f"{SHARED}::test_other_things_happen_between_pieces_and_new_work_drops_the_old"),
    fault("in a crowd, work that may wait does not", "explorers/slices.py",
          "max(PAUSE, waited)", "PAUSE",
          at=f"{SHARED}::test_work_that_waited_for_a_core_leaves_it_to_others_for_as_long"),
    fault("in a crowd, more is drawn than was asked for", "explorers/temperature.py",
          "if self.work.crowded or not self._even():", "if not self._even():",
          at=f"{TEMPERATURE}::test_where_others_want_the_cores_nothing_is_drawn_ahead"),
    fault("a move on its way undoes what was set since", "widgets/controls.py",
          "if epoch == self.epoch:", "if True:",
          at=f"{WIDGETS}::test_a_slider_follows_the_page_but_not_moves_older_than_what_was_set_here"),
    fault("a kept picture outlives its weights", "explorers/kept.py",
          "if known is None or known[0] != written:", "if known is None:",
          at=f"{KEPT}::test_weights_that_are_written_to_make_all_forgotten"),
    fault("two pictures have one key", "explorers/kept.py",
          "tensor.detach().cpu().flatten(1)", "tensor.detach().cpu().flatten(1)[:, :1]",
          at=f"{KEPT}::test_keys_tell_rows_apart"),
]

WHAT_IS_SHOWN = [
    fault("the levels' temperatures are swapped", "explorers/temperature.py",
          "tuple(slider.value for slider in self.level_sliders)",
          "tuple(slider.value for slider in self.level_sliders[::-1])",
          at=f"{TEMPERATURE}::test_each_level_can_be_set_alone_and_the_slider_takes_them_together"),
    fault("Surprise me draws the same sixteen", "explorers/samples.py",
          "torch.Generator().manual_seed(seed)", "torch.Generator().manual_seed(1)",
          at=f"{TEMPERATURE}::test_surprise_draws_others_and_repeats_by_seed"),
    fault("spread counts each face with itself", "explorers/samples.py",
          "(len(flat) * (len(flat) - 1))", "(len(flat) * len(flat))",
          at=f"{TEMPERATURE}::test_spread_is_the_mean_over_pairs"),
    fault("the arc is the straight line", "explorers/between.py",
          '"spherical": latent_space.slerp}', '"spherical": latent_space.lerp}',
          at=f"{BETWEEN}::test_half_way_between_draws_the_line_is_cold_and_the_arc_is_not"),
    fault("levels that are to stay move", "explorers/between.py",
          "for level, moves in enumerate(self.levels) if moves]", "for level, moves in enumerate(self.levels)]",
          at=f"{BETWEEN}::test_levels_that_do_not_move_stay_the_firsts"),
    fault("edits forget the blend", "explorers/state.py",
          "latent_space.add(now, self.directions[name], amount)",
          "latent_space.add(self.start.latents, self.directions[name], amount)",
          at=f"{STATE}::test_edits_come_on_top_of_the_blend"),
    fault("Reset leaves the edits", "explorers/state.py",
          "        self.amounts.clear()\n", "",
          at=f"{STATE}::test_an_edit_adds_its_direction_and_reset_gives_the_very_same_pixels"),
    fault("change is measured in signs that cancel", "explorers/state.py",
          "(image.float() - self.start.image.float()).abs().mean()",
          "(image.float() - self.start.image.float()).mean().abs()",
          at="tests/explorers/test_studio.py::test_the_numbers_are_those_of_the_picture"),
    fault("a face may leave all faces behind", "explorers/moved.py",
          "most / reached) if self.held else now", "most / reached) if False else now",
          at=f"{MOVED}::test_a_face_is_held_back_before_it_leaves_all_faces_behind"),
    fault("what was kept for other weights is taken", "explorers/known.py",
          "if any(facts.get(key) != value", "if False and any(facts.get(key) != value",
          at=f"{KNOWN}::test_what_does_not_belong_is_left_out"),
    fault("an address can hold what is no number", "explorers/address.py",
          "value if math.isfinite(value) and low <= value <= high else None", "value if not value > high else None",
          at=f"{SHARED}::test_a_number_that_makes_no_sense_is_left_out_and_said"),
]

SERVER = [
    fault("the house counts only those who are in", "serving/kernels.py",
          "len(self) + self._starting >= self.most", "len(self) >= self.most",
          at=f"{HOUSE}::test_there_is_room_for_so_many_and_then_for_nobody"),
    fault("a page that never came keeps its kernel", "serving/kernels.py",
          "        self._soon(5 * self.patience, kernel_id)", "        # self._soon(5 * self.patience, kernel_id)",
          at=f"{HOUSE}::test_a_kernel_whose_page_never_comes_ends"),
    fault("a page that came back loses its kernel", "serving/kernels.py",
          "if not alive or not self.pages(kernel_id):", "if True:",
          at=f"{HOUSE}::test_a_kernel_whose_page_is_gone_waits_a_little_and_ends"),
    fault("a page waits for its kernel before it is sent", "serving/kernels.py",
          "        await asyncio.sleep(0)  # by then", "        await asyncio.wait([self.starting])  # by then",
          at=f"{HOUSE}::test_a_page_gets_its_kernel_early_or_is_told_at_once_that_there_is_none"),
    fault("who finds no room is not told at once", "serving/kernels.py",
          "        if self.failed():\n", "        if False:\n",
          at=f"{HOUSE}::test_a_page_gets_its_kernel_early_or_is_told_at_once_that_there_is_none"),
    fault("a kernel that did not start is waited for", "serving/kernels.py",
          "self.starting.exception() is not None", "self.starting.cancelled()",
          at=f"{HOUSE}::test_a_kernel_that_does_not_start_is_known_to_have_failed"),
    fault("a container's limit is not seen", "serving/kernels.py",
          "free = min(free, limit -", "free = max(free, limit -",
          at=f"{HOUSE}::test_room_in_a_container_is_what_the_container_has"),
    fault("strangers need no token", "serve.py",
          "if host not in LOOPBACK and not token:", "if False:",
          at=f"{SERVE}::test_strangers_are_given_a_token_of_their_own"),
    fault("an explorer that comes late is left out", "serving/server.py",
          '"iopub_timeout": 300, ', "",
          at=f"{SERVE}::test_an_explorer_whose_output_comes_late_is_waited_for"),
]

# fmt: on
FAULTS = [*WHILE_IT_MOVES, *WHAT_IS_SHOWN, *SERVER]

// Words that a click puts into a field: reasons people give often. What was typed before stays in front of them.
document.addEventListener("click", (event) => {
  const chip = event.target.closest("[data-fill]");
  const field = chip && document.getElementById(chip.dataset.fill);
  if (!field) return;
  const words = chip.textContent.trim();
  const typed = field.value === field.defaultValue ? "" : field.value.trim();
  field.value = typed && !typed.includes(words) ? `${typed}, ${words}` : typed || words;
  field.focus();
});

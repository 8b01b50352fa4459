// Of MultiSelect and TagsInput alone, which stand in forms: not a part of the first load.
import '@mantine/core/styles/Pill.css';
import '@mantine/core/styles/PillsInput.css';

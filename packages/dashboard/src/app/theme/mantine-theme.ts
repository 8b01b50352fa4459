import { createTheme, localStorageColorSchemeManager, type MantineColorsTuple } from '@mantine/core';

/** The tuple only registers the name: the real values are in tokens.css, because no style element may be injected. */
const ledger: MantineColorsTuple = [
  '#eef6f2',
  '#dcebe3',
  '#b7d8c8',
  '#8fc4ab',
  '#5fab8a',
  '#3a9170',
  '#237a5b',
  '#17614a',
  '#124e3c',
  '#0d3b2d',
];

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, "Noto Sans", sans-serif';

export const theme = createTheme({
  colors: { ledger },
  primaryColor: 'ledger',
  defaultRadius: 'sm',
  fontFamily: FONT,
  respectReducedMotion: true,
  components: {
    // react-remove-scroll injects a style element, which the policy refuses; base.css locks the page instead.
    Modal: { defaultProps: { lockScroll: false, centered: true, overlayProps: { backgroundOpacity: 0.4 } } },
    Drawer: { defaultProps: { lockScroll: false } },
    InputWrapper: { defaultProps: { withAsterisk: false } },
    Tooltip: {
      defaultProps: { withArrow: true, multiline: true, events: { hover: true, focus: true, touch: true } },
    },
  },
});

export const colorSchemeManager = localStorageColorSchemeManager({ key: 'tallygate-theme' });

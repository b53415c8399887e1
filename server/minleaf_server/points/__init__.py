"""The bytes and arrays of metric points: codecs, series and down-sampling. Pure numpy, no database."""

"""Temperature: what loggers recorded, judged by the goods' class: excursions, gaps, calibration, mean kinetic temperature."""

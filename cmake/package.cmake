# `cpack -G DEB` in the build folder: one Debian package with the command, the shared library and what developers need.
set(CPACK_PACKAGE_NAME bezoar)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "The Bezoar maintainers <maintainers@bezoar.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "finds poison in machine-learning training data")
set(CPACK_PACKAGE_DESCRIPTION
    "Bezoar examines tables and texts before a model is trained on them: planted triggers, flipped labels, floods of
duplicates and bad sources, with the rows, the reason and what to do. It works offline and needs no model.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_GENERATOR DEB)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "python3")
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
include(CPack)
